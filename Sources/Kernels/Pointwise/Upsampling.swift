/// Nearest-neighbor upsampling by a factor of 2.
public struct Upsampling: PlaneKernel {
    /// The rows, columns and channels of the input plane.
    public let height, width, channels: Int

    /// Creates the upsampling of a plane.
    public init(height: Int, width: Int, channels: Int) {
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// Whether the gradient reads the input.
    public static var gradientReadsInput: Bool { false }
    /// Whether the gradient reads the output.
    public static var gradientReadsOutput: Bool { false }

    /// Copies each input pixel to its 2x2 output pixels: `[batch, H, W, C]` to `[batch, 2H, 2W, C]`.
    public func forward(batch: Int, input: Floats, output: MutableFloats, _ workers: ThreadPool) {
        workers.run(over: batch * height, by: 4) { range, _ in
            for row in range {
                for column in 0..<width {
                    let from = input + (row * width + column) * channels
                    let to = output + (row * 4 * width + column * 2) * channels
                    to.update(from: from, count: channels)
                    (to + channels).update(from: from, count: channels)
                }
                let upper = output + row * 4 * width * channels
                (upper + 2 * width * channels).update(from: upper, count: 2 * width * channels)
            }
        }
    }

    /// Sums the gradients of the four output pixels of each input pixel.
    public func backward(
        batch: Int,
        input _: Floats,
        output _: Floats,
        outputGradient: Floats,
        inputGradient: MutableFloats,
        accumulate: Bool,
        _ workers: ThreadPool
    ) {
        workers.run(over: batch * height, by: 4) { range, _ in
            for row in range {
                for column in 0..<width {
                    let upper = outputGradient + (row * 4 * width + column * 2) * channels
                    let lower = upper + 2 * width * channels
                    let to = inputGradient + (row * width + column) * channels
                    for channel in 0..<channels {
                        let sum =
                            (upper[channel] + upper[channels + channel]) + (lower[channel] + lower[channels + channel])
                        to[channel] = accumulate ? to[channel] + sum : sum
                    }
                }
            }
        }
    }
}
