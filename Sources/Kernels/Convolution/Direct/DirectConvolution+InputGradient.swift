/// The input gradient of a direct convolution: one convolution for each phase of the input.
extension DirectConvolution {
    /// One phase of the input gradient: the input pixels with the same row and column modulo the stride, and the
    /// kernel taps that contribute to them.
    ///
    /// From y[o] = Σ w[k] x[s o + k - p] follows dx[s i + phase] = Σ w[r + s j] dy[i + q - j], where r is the
    /// remainder and q the quotient of (phase + p) / s. This is a convolution of stride 1 with the taps
    /// r, r + s, ... in reverse order.
    private struct Phase {
        let rowRemainder, columnRemainder: Int
        let rowPhase, columnPhase: Int
        let grid: PatchGrid
    }

    private static func phases(_ shape: ConvolutionShape) -> [Phase] {
        let (kernel, stride) = (shape.kernel, shape.stride)
        func parts(_ length: Int) -> [(phase: Int, remainder: Int, quotient: Int, taps: Int, count: Int)] {
            (0..<min(stride, length)).map { phase in
                let (quotient, remainder) = (phase + shape.padding).quotientAndRemainder(dividingBy: stride)
                let taps = remainder < kernel ? (kernel - remainder + stride - 1) / stride : 0
                return (phase, remainder, quotient, taps, (length - phase + stride - 1) / stride)
            }
        }
        return parts(shape.inputHeight).flatMap { row in
            parts(shape.inputWidth).map { column in
                Phase(
                    rowRemainder: row.remainder,
                    columnRemainder: column.remainder,
                    rowPhase: row.phase,
                    columnPhase: column.phase,
                    grid: PatchGrid(
                        sourceHeight: shape.outputHeight,
                        sourceWidth: shape.outputWidth,
                        channels: shape.outputChannels,
                        top: row.taps - 1 - row.quotient,
                        left: column.taps - 1 - column.quotient,
                        step: 1,
                        tapRows: row.taps,
                        tapColumns: column.taps,
                        height: row.count,
                        width: column.count
                    )
                )
            }
        }
    }

    /// The size in floats of the weights packed for the input gradient.
    static func gradientPackedCount(_ shape: ConvolutionShape) -> Int {
        WeightPanels.floats(inner: shape.kernel * shape.kernel * shape.outputChannels, columns: shape.inputChannels)
    }

    /// Packs `weight` `[out, in, kernel, kernel]` into panels of `[taps, taps, out, in]` for each phase.
    static func packForInputGradient(
        _ weight: Floats,
        _ shape: ConvolutionShape,
        into packed: MutableFloats,
        _ workers: ThreadPool
    ) {
        let (inputs, outputs, kernel, width) = (
            shape.inputChannels, shape.outputChannels, shape.kernel, WeightPanels.width
        )
        var start = packed
        for phase in phases(shape) {
            let (rows, columns) = (phase.grid.tapRows, phase.grid.tapColumns)
            let inner = rows * columns * outputs
            let phaseStart = start
            workers.run(WeightPanels.count(columns: inputs)) { panel, _ in
                let target = phaseStart + panel * width * inner
                let filled = min(width, inputs - panel * width)
                if filled < width { target.update(repeating: 0, count: width * inner) }
                for tapRow in 0..<rows {
                    for tapColumn in 0..<columns {
                        // The taps in the order in which a patch reads them, which is reversed.
                        let kernelRow = phase.rowRemainder + (rows - 1 - tapRow) * shape.stride
                        let kernelColumn = phase.columnRemainder + (columns - 1 - tapColumn) * shape.stride
                        let to = target + (tapRow * columns + tapColumn) * outputs * width
                        for output in 0..<outputs {
                            let from =
                                weight + ((output * inputs + panel * width) * kernel + kernelRow) * kernel
                                + kernelColumn
                            for column in 0..<filled { to[output * width + column] = from[column * kernel * kernel] }
                        }
                    }
                }
            }
            start += WeightPanels.floats(inner: inner, columns: inputs)
        }
    }

    /// Computes ∂loss/∂x from ∂loss/∂y.
    ///
    /// `outputGradient` is `[N, H', W', out]`, `packed` comes from ``packForInputGradient(_:_:into:_:)``, and
    /// `inputGradient` is `[N, H, W, in]`, added to when `accumulate`.
    static func inputGradient(
        _ shape: ConvolutionShape,
        batch: Int,
        outputGradient: Floats,
        packed: Floats,
        accumulate: Bool,
        inputGradient: MutableFloats,
        _ workers: ThreadPool
    ) {
        let channels = shape.inputChannels
        let epilogue = Epilogue(residual: accumulate ? Floats(inputGradient) : nil)
        var start = packed
        for phase in phases(shape) {
            run(
                phase.grid,
                batch: batch,
                source: outputGradient,
                packed: start,
                epilogue: epilogue,
                output: inputGradient,
                layout: OutputLayout(
                    channels: channels,
                    first: (phase.rowPhase * shape.inputWidth + phase.columnPhase) * channels,
                    pixel: shape.stride * channels,
                    row: shape.stride * shape.inputWidth * channels,
                    image: shape.inputPixels * channels
                ),
                workers
            )
            start += WeightPanels.floats(inner: phase.grid.tapRows * phase.grid.run, columns: channels)
        }
    }
}
