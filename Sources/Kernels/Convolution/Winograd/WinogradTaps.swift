/// The unpacked weights of a Winograd convolution, in the order in which packing reads them.
extension WinogradConvolution {
    /// The size of the taps in floats.
    static func tapCount(_ shape: ConvolutionShape) -> Int { 9 * plane(shape) }

    /// Rearranges `weight` `[out, in, 3, 3]` into panels `[panel, in, 9, 16]`, with zeros after the last column.
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

    /// Packs taps that ``arrange(_:_:into:)`` has rearranged.
    ///
    /// The result is bit-identical to that of ``pack(_:_:flipped:into:_:)``, and several times faster to compute.
    static func pack(
        arranged taps: Floats,
        _ shape: ConvolutionShape,
        into packed: MutableFloats,
        _ workers: ThreadPool
    ) {
        let (width, plane) = (WeightPanels.width, plane(shape))
        workers.reserveScratch(3 * Transform.points * width)
        // In both layouts the inputs of a panel are contiguous, and so are the panels.
        workers.run(over: plane / width, by: 64) { range, worker in
            let stage = workers.scratch(of: worker)
            for input in range {
                transform(taps + input * 9 * width, stage: stage, into: packed + input * width, plane: plane)
            }
        }
    }
}
