/// Max pooling 3x3 with stride 2 and padding 1, as in the stem of ImageNet networks.
public struct MaxPooling: PlaneKernel {
    /// The rows, columns and channels of the input plane.
    public let height, width, channels: Int

    /// Creates the pooling of a plane.
    public init(height: Int, width: Int, channels: Int) {
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// Whether the gradient reads the input.
    public static var gradientReadsInput: Bool { true }
    /// Whether the gradient reads the output.
    public static var gradientReadsOutput: Bool { true }

    /// The number of output rows.
    public var outputHeight: Int { (height - 1) / 2 + 1 }
    /// The number of output columns.
    public var outputWidth: Int { (width - 1) / 2 + 1 }

    /// The window of an output pixel, clipped at the border.
    @inline(__always)
    private func window(_ row: Int, _ column: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        (
            max(0, row * 2 - 1)..<min(height, row * 2 + 2),
            max(0, column * 2 - 1)..<min(width, column * 2 + 2)
        )
    }

    /// Computes the maximum of each window: `[batch, H, W, C]` to `[batch, H', W', C]`.
    public func forward(batch: Int, input: Floats, output: MutableFloats, _ workers: ThreadPool) {
        workers.run(batch * outputHeight) { item, _ in
            let (image, row) = item.quotientAndRemainder(dividingBy: outputHeight)
            let base = input + image * height * width * channels
            for column in 0..<outputWidth {
                let (rows, columns) = window(row, column)
                let to = output + (item * outputWidth + column) * channels
                to.update(repeating: -.infinity, count: channels)
                for y in rows {
                    for x in columns {
                        let from = base + (y * width + x) * channels
                        forEachVector(channels) { start, lanes in
                            store(larger(load(to + start, lanes), load(from + start, lanes)), to + start, lanes)
                        }
                    }
                }
            }
        }
    }

    /// Passes each gradient to the first pixel of its window that holds the maximum.
    public func backward(
        batch: Int,
        input: Floats,
        output: Floats,
        outputGradient: Floats,
        inputGradient: MutableFloats,
        accumulate: Bool,
        _ workers: ThreadPool
    ) {
        // Windows overlap, so each image is processed by one thread.
        workers.run(batch) { image, _ in
            let plane = height * width * channels
            let (base, target) = (input + image * plane, inputGradient + image * plane)
            if !accumulate { target.update(repeating: 0, count: plane) }
            for row in 0..<outputHeight {
                for column in 0..<outputWidth {
                    let (rows, columns) = window(row, column)
                    let from = ((image * outputHeight + row) * outputWidth + column) * channels
                    for channel in 0..<channels {
                        let peak = output[from + channel]
                        search: for y in rows {
                            for x in columns where base[(y * width + x) * channels + channel] == peak {
                                target[(y * width + x) * channels + channel] += outputGradient[from + channel]
                                break search
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The average over all pixels of an image.
public struct AveragePooling: PlaneKernel {
    /// The number of pixels and channels of an image.
    public let pixels, channels: Int

    /// Creates the pooling over `pixels` pixels.
    public init(pixels: Int, channels: Int) {
        self.pixels = pixels
        self.channels = channels
    }

    /// Whether the gradient reads the input.
    public static var gradientReadsInput: Bool { false }
    /// Whether the gradient reads the output.
    public static var gradientReadsOutput: Bool { false }

    /// Averages `[batch, pixels, channels]` to `[batch, channels]`.
    public func forward(batch: Int, input: Floats, output: MutableFloats, _ workers: ThreadPool) {
        workers.run(batch) { image, _ in
            let to = output + image * channels
            to.update(repeating: 0, count: channels)
            for pixel in 0..<pixels {
                let from = input + (image * pixels + pixel) * channels
                for channel in 0..<channels { to[channel] += from[channel] }
            }
            for channel in 0..<channels { to[channel] /= Float(pixels) }
        }
    }

    /// Distributes the gradient evenly: every pixel gets 1/pixels of it.
    public func backward(
        batch: Int,
        input _: Floats,
        output _: Floats,
        outputGradient: Floats,
        inputGradient: MutableFloats,
        accumulate: Bool,
        _ workers: ThreadPool
    ) {
        workers.run(batch) { image, _ in
            let from = outputGradient + image * channels
            for pixel in 0..<pixels {
                let to = inputGradient + (image * pixels + pixel) * channels
                for channel in 0..<channels {
                    let share = from[channel] / Float(pixels)
                    to[channel] = accumulate ? to[channel] + share : share
                }
            }
        }
    }
}
