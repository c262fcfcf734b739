/// Batch normalisation over the rows of `[rows, channels]`, with the statistics of the batch itself
/// (Ioffe and Szegedy, 2015), eps 1e-5, and ReLU where asked: y = max(0, γ x̂ + β).
///
/// Only training runs this; inference folds it into the convolution before it.
public struct BatchNorm: Sendable {
    /// The channels.
    public let channels: Int
    /// Whether negative results become zero.
    public let relu: Bool
    /// Added to the variance.
    public static let epsilon: Float = 1e-5
    /// The share of the batch in the running statistics.
    public static let momentum: Float = 0.1

    /// A normalisation of `channels`.
    public init(channels: Int, relu: Bool) {
        self.channels = channels
        self.relu = relu
    }

    private var block: Int { 512 }
    private func blocks(_ rows: Int) -> Int { (rows + block - 1) / block }

    /// Floats of workspace of both passes.
    public func workspaceCount(rows: Int) -> Int { (blocks(rows) + 1) * 2 * channels }

    /// The forward pass over `input` `[rows, channels]`; writes `statistics` `[2, channels]` (mean, 1 /
    /// standard deviation) and moves `runningMean` and `runningVariance` (unbiased) towards the batch's.
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
        _ workers: Workers
    ) {
        let (mean, inverse) = (statistics, statistics + channels)
        sum(rows, workspace, workers) { row, sums in
            let x = input + row * channels
            for channel in 0..<channels { sums[channel] += x[channel] }
        }
        for channel in 0..<channels { mean[channel] = Float(total(channel, rows, workspace) / Double(rows)) }
        sum(rows, workspace, workers) { row, sums in
            let x = input + row * channels
            for channel in 0..<channels {
                let centred = x[channel] - mean[channel]
                sums[channel] += centred * centred
            }
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

    /// The output of a forward pass that has left its `statistics`.
    public func normalize(
        rows: Int,
        input: Floats,
        gain: Floats,
        bias: Floats,
        statistics: Floats,
        output: MutableFloats,
        workspace: MutableFloats,
        _ workers: Workers
    ) {
        let (mean, inverse) = (statistics, statistics + channels)
        let slope = workspace
        let offset = workspace + channels
        for channel in 0..<channels {
            slope[channel] = inverse[channel] * gain[channel]
            offset[channel] = bias[channel] - mean[channel] * slope[channel]
        }
        workers.run(over: rows, by: block) { range, _ in
            for row in range {
                let (x, y) = (input + row * channels, output + row * channels)
                forEachVector(channels) { start, lanes in
                    var value = load(x + start, lanes) * load(slope + start, lanes) + load(offset + start, lanes)
                    if relu { value = larger(value, .zero) }
                    store(value, y + start, lanes)
                }
            }
        }
    }

    /// Adds up `body`'s contribution of each row in blocks, each into its own part of `workspace`.
    private func sum(
        _ rows: Int,
        _ workspace: MutableFloats,
        _ workers: Workers,
        _ body: (_ row: Int, _ sums: MutableFloats) -> Void
    ) {
        workers.run(over: rows, by: block) { range, _ in
            let sums = workspace + range.lowerBound / block * 2 * channels
            sums.update(repeating: 0, count: 2 * channels)
            for row in range { body(row, sums) }
        }
    }

    /// The blocks' sums of one column, added in order and in double precision.
    private func total(_ column: Int, _ rows: Int, _ workspace: Floats) -> Double {
        var total = 0.0
        for index in 0..<blocks(rows) { total += Double(workspace[index * 2 * channels + column]) }
        return total
    }

    /// The backward pass; adds to `gainGradient` and `biasGradient`, stores or adds to `inputGradient`.
    ///
    /// dx = γ / σ (dy - mean(dy) - x̂ mean(dy x̂)), with dy masked where ReLU cut.
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
        _ workers: Workers
    ) {
        let (mean, inverse) = (statistics, statistics + channels)
        /// x̂ and the masked dy of eight channels.
        @inline(__always)
        func terms(_ row: Int, _ start: Int, _ lanes: Int) -> (normalised: Vector, gradient: Vector) {
            let place = row * channels + start
            let normalised = (load(input + place, lanes) - load(mean + start, lanes)) * load(inverse + start, lanes)
            var gradient = load(outputGradient + place, lanes)
            if relu {
                let y = normalised * load(gain + start, lanes) + load(bias + start, lanes)
                gradient.replace(with: Vector.zero, where: y .<= Vector.zero)
            }
            return (normalised, gradient)
        }
        sum(rows, workspace, workers) { row, sums in
            forEachVector(channels) { start, lanes in
                let (normalised, gradient) = terms(row, start, lanes)
                store(load(sums + start, lanes) + gradient, sums + start, lanes)
                let other = sums + channels + start
                store(load(other, lanes) + gradient * normalised, other, lanes)
            }
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
            for row in range {
                forEachVector(channels) { start, lanes in
                    let (normalised, gradient) = terms(row, start, lanes)
                    let centred = gradient - load(means + start, lanes)
                    var d = centred - normalised * load(means + channels + start, lanes)
                    d *= load(gain + start, lanes) * load(inverse + start, lanes)
                    let place = inputGradient + row * channels + start
                    if accumulate { d += load(place, lanes) }
                    store(d, place, lanes)
                }
            }
        }
    }
}
