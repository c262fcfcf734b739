/// Batch normalization over the rows of `[rows, channels]` with an optional ReLU: y = max(0, γ x̂ + β).
///
/// Uses the statistics of the batch itself (Ioffe and Szegedy, 2015), eps 1e-5. Only training runs this;
/// inference folds it into the preceding convolution.
public struct BatchNorm: Sendable {
    /// The number of channels.
    public let channels: Int
    /// Whether a ReLU is applied to the result.
    public let relu: Bool
    /// The constant added to the variance.
    public static let epsilon: Float = 1e-5
    /// The weight of the batch in the running statistics.
    public static let momentum: Float = 0.1

    /// Creates a normalization of `channels` channels.
    public init(channels: Int, relu: Bool) {
        self.channels = channels
        self.relu = relu
    }

    private var block: Int { 512 }
    private func blocks(_ rows: Int) -> Int { (rows + block - 1) / block }

    /// The size in floats of the workspace of both passes.
    public func workspaceCount(rows: Int) -> Int { (blocks(rows) + 1) * 2 * channels }

    /// Runs the forward pass over `input` `[rows, channels]`.
    ///
    /// Writes `statistics` `[2, channels]` (mean and 1 / standard deviation) and moves `runningMean` and
    /// `runningVariance` (unbiased) toward those of the batch.
    public func forward(
        rows: Int,
        input: Floats,
        gain: Floats,
        bias: Floats,
        statistics: MutableFloats,
        runningMean: MutableFloats,
        runningVariance: MutableFloats,
        output: MutableFloats,
        workspace: MutableFloats,
        _ workers: ThreadPool
    ) {
        let (mean, inverse) = (statistics, statistics + channels)
        sum(rows, workspace, workers) { strip, sums in
            var sum = load(sums + strip.channel, strip.lanes)
            for row in strip.rows { sum += load(input + row * channels + strip.channel, strip.lanes) }
            store(sum, sums + strip.channel, strip.lanes)
        }
        for channel in 0..<channels { mean[channel] = Float(total(channel, rows, workspace) / Double(rows)) }
        sum(rows, workspace, workers) { strip, sums in
            let mean = load(mean + strip.channel, strip.lanes)
            var sum = load(sums + strip.channel, strip.lanes)
            for row in strip.rows {
                let centered = load(input + row * channels + strip.channel, strip.lanes) - mean
                sum += centered * centered
            }
            store(sum, sums + strip.channel, strip.lanes)
        }
        for channel in 0..<channels {
            let squares = total(channel, rows, workspace)
            inverse[channel] = 1 / (Float(squares / Double(rows)) + Self.epsilon).squareRoot()
            let unbiased = Float(squares / Double(max(rows - 1, 1)))
            runningMean[channel] += Self.momentum * (mean[channel] - runningMean[channel])
            runningVariance[channel] += Self.momentum * (unbiased - runningVariance[channel])
        }
        normalize(
            rows: rows,
            input: input,
            gain: gain,
            bias: bias,
            statistics: statistics,
            output: output,
            workspace: workspace,
            workers
        )
    }

    /// Computes the output from the `statistics` of an earlier forward pass.
    public func normalize(
        rows: Int,
        input: Floats,
        gain: Floats,
        bias: Floats,
        statistics: Floats,
        output: MutableFloats,
        workspace: MutableFloats,
        _ workers: ThreadPool
    ) {
        let (mean, inverse) = (statistics, statistics + channels)
        let slope = workspace
        let offset = workspace + channels
        for channel in 0..<channels {
            slope[channel] = inverse[channel] * gain[channel]
            offset[channel] = bias[channel] - mean[channel] * slope[channel]
        }
        workers.run(over: rows, by: block) { range, _ in
            forEachStrip(range) { strip in
                let slope = load(slope + strip.channel, strip.lanes)
                let offset = load(offset + strip.channel, strip.lanes)
                for row in strip.rows {
                    let place = row * channels + strip.channel
                    var value = load(input + place, strip.lanes) * slope + offset
                    if relu { value = larger(value, .zero) }
                    store(value, output + place, strip.lanes)
                }
            }
        }
    }

    /// A range of rows in a strip of eight channels, or of the last channels.
    private struct Strip {
        let rows: Range<Int>
        let channel, lanes: Int
    }

    /// Calls `body` for strips of `range`.
    ///
    /// The values of the strip's channels stay in registers from row to row, and the rows stay in the first-level
    /// cache from strip to strip.
    @inline(__always)
    private func forEachStrip(_ range: Range<Int>, _ body: (Strip) -> Void) {
        for first in stride(from: range.lowerBound, to: range.upperBound, by: 64) {
            let rows = first..<min(range.upperBound, first + 64)
            for channel in stride(from: 0, to: channels, by: 8) {
                let lanes = channels - channel
                // Almost always a whole vector; the constant lets the compiler specialize this case.
                if lanes >= 8 {
                    body(Strip(rows: rows, channel: channel, lanes: 8))
                } else {
                    body(Strip(rows: rows, channel: channel, lanes: lanes))
                }
            }
        }
    }

    /// Calls `body` to sum each strip in blocks of rows, each block into its own part of `workspace`.
    @inline(__always)
    private func sum(
        _ rows: Int,
        _ workspace: MutableFloats,
        _ workers: ThreadPool,
        _ body: (_ strip: Strip, _ sums: MutableFloats) -> Void
    ) {
        workers.run(over: rows, by: block) { range, _ in
            let sums = workspace + range.lowerBound / block * 2 * channels
            sums.update(repeating: 0, count: 2 * channels)
            forEachStrip(range) { body($0, sums) }
        }
    }

    /// Adds the block sums of one column in order and in double precision.
    private func total(_ column: Int, _ rows: Int, _ workspace: Floats) -> Double {
        var total = 0.0
        for index in 0..<blocks(rows) { total += Double(workspace[index * 2 * channels + column]) }
        return total
    }

    /// Runs the backward pass; adds to `gainGradient` and `biasGradient`, stores or adds to `inputGradient`.
    ///
    /// dx = γ / σ (dy - mean(dy) - x̂ mean(dy x̂)), where dy is 0 wherever the ReLU output is 0.
    public func backward(
        rows: Int,
        input: Floats,
        gain: Floats,
        bias: Floats,
        statistics: Floats,
        outputGradient: Floats,
        inputGradient: MutableFloats,
        accumulate: Bool,
        gainGradient: MutableFloats,
        biasGradient: MutableFloats,
        workspace: MutableFloats,
        _ workers: ThreadPool
    ) {
        let (mean, inverse) = (statistics, statistics + channels)
        /// Calls `body` with x̂ and the masked dy of each row of `strip`.
        @inline(__always)
        func forEachTerm(_ strip: Strip, _ body: (_ place: Int, _ normalized: Vector, _ gradient: Vector) -> Void) {
            let (channel, lanes) = (strip.channel, strip.lanes)
            let (mean, inverse) = (load(mean + channel, lanes), load(inverse + channel, lanes))
            let (gain, bias) = (load(gain + channel, lanes), load(bias + channel, lanes))
            for row in strip.rows {
                let place = row * channels + channel
                let normalized = (load(input + place, lanes) - mean) * inverse
                var gradient = load(outputGradient + place, lanes)
                if relu { gradient.replace(with: Vector.zero, where: normalized * gain + bias .<= Vector.zero) }
                body(place, normalized, gradient)
            }
        }
        sum(rows, workspace, workers) { strip, sums in
            let other = sums + channels
            var zero = load(sums + strip.channel, strip.lanes)
            var one = load(other + strip.channel, strip.lanes)
            forEachTerm(strip) { _, normalized, gradient in
                zero += gradient
                one += gradient * normalized
            }
            store(zero, sums + strip.channel, strip.lanes)
            store(one, other + strip.channel, strip.lanes)
        }
        let means = workspace + blocks(rows) * 2 * channels
        for channel in 0..<channels {
            let zero = total(channel, rows, workspace)
            let one = total(channels + channel, rows, workspace)
            biasGradient[channel] += Float(zero)
            gainGradient[channel] += Float(one)
            means[channel] = Float(zero / Double(rows))
            means[channels + channel] = Float(one / Double(rows))
        }
        workers.run(over: rows, by: block) { range, _ in
            forEachStrip(range) { strip in
                let (channel, lanes) = (strip.channel, strip.lanes)
                let (zero, one) = (load(means + channel, lanes), load(means + channels + channel, lanes))
                let slope = load(gain + channel, lanes) * load(inverse + channel, lanes)
                forEachTerm(strip) { place, normalized, gradient in
                    var d = (gradient - zero - normalized * one) * slope
                    if accumulate { d += load(inputGradient + place, lanes) }
                    store(d, inputGradient + place, lanes)
                }
            }
        }
    }
}
