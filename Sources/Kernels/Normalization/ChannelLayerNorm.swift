/// Layer normalization over the channels of each pixel, with a gain but no bias:
/// y = g (x - mean) / sqrt(var + eps), eps 1e-5.
public struct ChannelLayerNorm: Sendable {
    /// The number of channels.
    public let channels: Int

    /// Creates a normalization over `channels` channels.
    public init(channels: Int) { self.channels = channels }

    private var block: Int { 256 }

    /// Runs the forward pass: `input` and `output` are `[rows, channels]`, `gain` is `[channels]`.
    public func forward(rows: Int, input: Floats, gain: Floats, output: MutableFloats, _ workers: ThreadPool) {
        workers.run(over: rows, by: block) { range, _ in
            for row in range {
                let (x, y) = (input + row * channels, output + row * channels)
                let (mean, inverse) = rowStatistics(x, count: channels)
                forEachVector(channels) { start, lanes in
                    store((load(x + start, lanes) - mean) * inverse * load(gain + start, lanes), y + start, lanes)
                }
            }
        }
    }

    /// The size in floats of the workspace of the backward pass.
    public func workspaceCount(rows: Int) -> Int { (rows + block - 1) / block * channels }

    /// Runs the backward pass; adds to `gainGradient`, stores or adds to `inputGradient`.
    public func backward(
        rows: Int,
        input: Floats,
        gain: Floats,
        outputGradient: Floats,
        inputGradient: MutableFloats,
        accumulate: Bool,
        gainGradient: MutableFloats,
        workspace: MutableFloats,
        _ workers: ThreadPool
    ) {
        workers.run(over: rows, by: block) { range, _ in
            let sums = workspace + range.lowerBound / block * channels
            sums.update(repeating: 0, count: channels)
            for row in range {
                let (x, dy) = (input + row * channels, outputGradient + row * channels)
                let dx = inputGradient + row * channels
                let (mean, inverse) = rowStatistics(x, count: channels)
                var (zero, one) = (Vector.zero, Vector.zero)
                forEachVector(channels) { start, lanes in
                    let normalized = (load(x + start, lanes) - mean) * inverse
                    let upstream = load(dy + start, lanes)
                    store(load(sums + start, lanes) + upstream * normalized, sums + start, lanes)
                    // Lanes after the last channel have zero gains, so they add nothing.
                    let scaled = upstream * load(gain + start, lanes)
                    zero += scaled
                    one += scaled * normalized
                }
                let (meanZero, meanOne) = (zero.total / Float(channels), one.total / Float(channels))
                forEachVector(channels) { start, lanes in
                    let normalized = (load(x + start, lanes) - mean) * inverse
                    var d = load(dy + start, lanes) * load(gain + start, lanes) - meanZero - normalized * meanOne
                    d *= inverse
                    if accumulate { d += load(dx + start, lanes) }
                    store(d, dx + start, lanes)
                }
            }
        }
        for index in 0..<(rows + block - 1) / block {
            for channel in 0..<channels { gainGradient[channel] += workspace[index * channels + channel] }
        }
    }
}
