/// The weights of a Winograd convolution at their own size, in the order in which they are packed from.
extension WinogradConvolution {
    /// Floats of the taps.
    static func tapCount(_ shape: ConvolutionShape) -> Int { 9 * plane(shape) }

    /// `weight` `[out, in, 3, 3]` to panels `[panel, in, 9, 16]`, with zeros behind the last column.
    static func arrange(_ weight: Floats, _ shape: ConvolutionShape, into taps: MutableFloats) {
        let (inputs, width) = (shape.inputChannels, WeightPanels.width)
        taps.update(repeating: 0, count: tapCount(shape))
        for output in 0..<shape.outputChannels {
            let (panel, column) = output.quotientAndRemainder(dividingBy: width)
            for input in 0..<inputs {
                let source = weight + (output * inputs + input) * 9
                let target = taps + (panel * inputs + input) * 9 * width + column
                for tap in 0..<9 { target[tap * width] = source[tap] }
            }
        }
    }

    /// What ``pack(_:_:flipped:into:_:)`` makes of the same weights, to the last bit, from taps that
    /// ``arrange(_:_:into:)`` has put in order: several times faster.
    static func pack(
        arranged taps: Floats,
        _ shape: ConvolutionShape,
        into packed: MutableFloats,
        _ workers: ThreadPool
    ) {
        let (width, plane) = (WeightPanels.width, plane(shape))
        workers.reserveScratch(3 * Transform.points * width)
        // Panel after panel, the inputs follow each other in both layouts.
        workers.run(over: plane / width, by: 64) { range, worker in
            let stage = workers.scratch(of: worker)
            for input in range {
                transform(taps + input * 9 * width, stage: stage, into: packed + input * width, plane: plane)
            }
        }
    }
}
