/// Convolution of any kernel and stride as a product with the matrix of patches (im2col).
///
/// A row of the matrix is the patch of one output pixel, ordered `[kernel row, kernel column, channel]`.
enum LoweredConvolution {
    /// Output pixels whose patches are laid out at once.
    private static func block(_ shape: ConvolutionShape) -> Int {
        min(512, max(32, 100_000 / shape.patch / 8 * 8))
    }

    /// `weight` `[out, in, kernel, kernel]` to `packed` `[kernel, kernel, in, out]`.
    static func pack(_ weight: Floats, _ shape: ConvolutionShape, into packed: MutableFloats, _ workers: Workers) {
        let taps = shape.kernel * shape.kernel
        let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
        workers.run(over: inputs, by: 16) { range, _ in
            for input in range {
                for output in 0..<outputs {
                    let source = weight + (output * inputs + input) * taps
                    for tap in 0..<taps { packed[(tap * inputs + input) * outputs + output] = source[tap] }
                }
            }
        }
    }

    /// y = epilogue(x * w): `input` `[N, H, W, in]`, `packed` from ``pack(_:_:into:_:)``, `output`
    /// `[N, H', W', out]`.
    static func forward(
        _ shape: ConvolutionShape,
        batch: Int,
        input: Floats,
        packed: Floats,
        epilogue: Epilogue,
        output: MutableFloats,
        _ workers: Workers
    ) {
        let (patch, outputs) = (shape.patch, shape.outputChannels)
        let block = block(shape)
        if !shape.isPointwise { workers.reserveScratch(block * patch) }
        // When it only accumulates, the product itself adds to what is there.
        let accumulates = epilogue.residual == Floats(output)
        var rest = epilogue
        if accumulates { rest.residual = nil }
        workers.run(over: batch * shape.outputPixels, by: block) { range, worker in
            var patches = input + range.lowerBound * patch
            if !shape.isPointwise {
                let scratch = workers.scratch(of: worker)
                gather(shape, input, range, into: scratch)
                patches = Floats(scratch)
            }
            let target = output + range.lowerBound * outputs
            MatrixProduct.multiply(
                rows: range.count,
                columns: outputs,
                inner: patch,
                a: patches,
                lda: patch,
                b: packed,
                ldb: outputs,
                beta: accumulates ? 1 : 0,
                c: target,
                ldc: outputs
            )
            finish(rest, rows: range, columns: outputs, output: output)
        }
    }

    /// Applies the epilogue to rows of products already stored.
    private static func finish(_ epilogue: Epilogue, rows: Range<Int>, columns: Int, output: MutableFloats) {
        guard epilogue.bias != nil || epilogue.residual != nil || epilogue.relu else { return }
        for row in rows {
            let target = output + row * columns
            forEachVector(columns) { start, lanes in
                var value = load(target + start, lanes)
                if let bias = epilogue.bias { value += load(bias + start, lanes) }
                if let residual = epilogue.residual { value += load(residual + row * columns + start, lanes) }
                if epilogue.relu { value = larger(value, .zero) }
                store(value, target + start, lanes)
            }
        }
    }

    /// Lays out the patches of the output pixels `range`: `target` `[range.count, patch]`.
    private static func gather(
        _ shape: ConvolutionShape,
        _ input: Floats,
        _ range: Range<Int>,
        into target: MutableFloats
    ) {
        let channels = shape.inputChannels
        forEachTap(shape, range) { row, tap, source in
            let to = target + row * shape.patch + tap * channels
            if let source {
                to.update(from: input + source * channels, count: channels)
            } else {
                to.update(repeating: 0, count: channels)
            }
        }
    }

    /// Calls `body(row, tap, pixel)` for each kernel tap of each output pixel in `range`; `pixel` counts
    /// over the whole batch, nil beyond the border.
    @inline(__always)
    private static func forEachTap(
        _ shape: ConvolutionShape,
        _ range: Range<Int>,
        _ body: (_ row: Int, _ tap: Int, _ pixel: Int?) -> Void
    ) {
        for (row, pixel) in range.enumerated() {
            let (image, within) = pixel.quotientAndRemainder(dividingBy: shape.outputPixels)
            let (y, x) = within.quotientAndRemainder(dividingBy: shape.outputWidth)
            let (top, left) = (y * shape.stride - shape.padding, x * shape.stride - shape.padding)
            for ky in 0..<shape.kernel {
                for kx in 0..<shape.kernel {
                    let (sourceY, sourceX) = (top + ky, left + kx)
                    let inside =
                        sourceY >= 0 && sourceY < shape.inputHeight && sourceX >= 0 && sourceX < shape.inputWidth
                    let source = (image * shape.inputHeight + sourceY) * shape.inputWidth + sourceX
                    body(row, ky * shape.kernel + kx, inside ? source : nil)
                }
            }
        }
    }

    /// ∂loss/∂x for ∂loss/∂y: `outputGradient` `[N, H', W', out]`, `packed` as for the forward pass,
    /// `inputGradient` `[N, H, W, in]`, added to when `accumulate`.
    static func inputGradient(
        _ shape: ConvolutionShape,
        batch: Int,
        outputGradient: Floats,
        packed: Floats,
        accumulate: Bool,
        inputGradient: MutableFloats,
        _ workers: Workers
    ) {
        let (patch, outputs, channels) = (shape.patch, shape.outputChannels, shape.inputChannels)
        let block = block(shape)
        @inline(__always)
        func product(_ rows: Range<Int>, beta: Float, into target: MutableFloats) {
            MatrixProduct.multiply(
                rows: rows.count,
                columns: patch,
                inner: outputs,
                a: outputGradient + rows.lowerBound * outputs,
                lda: outputs,
                b: packed,
                .transposed,
                ldb: outputs,
                beta: beta,
                c: target,
                ldc: patch
            )
        }
        if shape.isPointwise {
            workers.run(over: batch * shape.outputPixels, by: block) { range, _ in
                product(range, beta: accumulate ? 1 : 0, into: inputGradient + range.lowerBound * patch)
            }
            return
        }
        workers.reserveScratch(block * patch)
        // Patches overlap, so an image belongs to one worker.
        workers.run(batch) { image, worker in
            let scratch = workers.scratch(of: worker)
            if !accumulate {
                let size = shape.inputPixels * channels
                (inputGradient + image * size).update(repeating: 0, count: size)
            }
            let end = (image + 1) * shape.outputPixels
            var start = image * shape.outputPixels
            while start < end {
                let range = start..<min(end, start + block)
                product(range, beta: 0, into: scratch)
                forEachTap(shape, range) { row, tap, pixel in
                    guard let pixel else { return }
                    let from = scratch + row * patch + tap * channels
                    let to = inputGradient + pixel * channels
                    for channel in 0..<channels { to[channel] += from[channel] }
                }
                start = range.upperBound
            }
        }
    }

    /// The parts that the weight gradient's sum is cut into; by shape alone, so that its order is fixed.
    private static func parts(_ shape: ConvolutionShape, batch: Int) -> Int {
        min(8, max(1, batch * shape.outputPixels / 1024))
    }

    /// Floats of workspace for ``weightGradient(_:batch:input:outputGradient:weightGradient:workspace:_:)``.
    static func weightGradientWorkspace(_ shape: ConvolutionShape, batch: Int) -> Int {
        parts(shape, batch: batch) * shape.weightCount
    }

    /// Adds ∂loss/∂w to `weightGradient` `[out, in, kernel, kernel]`.
    static func weightGradient(
        _ shape: ConvolutionShape,
        batch: Int,
        input: Floats,
        outputGradient: Floats,
        weightGradient: MutableFloats,
        workspace: MutableFloats,
        _ workers: Workers
    ) {
        let (patch, outputs, inputs) = (shape.patch, shape.outputChannels, shape.inputChannels)
        let total = batch * shape.outputPixels
        let parts = parts(shape, batch: batch)
        let share = (total + parts - 1) / parts
        let block = block(shape)
        if !shape.isPointwise { workers.reserveScratch(block * patch) }
        workers.run(parts) { part, worker in
            let end = min(total, (part + 1) * share)
            let sums = workspace + part * patch * outputs
            var start = part * share
            if start >= end { sums.update(repeating: 0, count: patch * outputs) }
            while start < end {
                let range = start..<min(end, start + block)
                var patches = input + start * patch
                if !shape.isPointwise {
                    let scratch = workers.scratch(of: worker)
                    gather(shape, input, range, into: scratch)
                    patches = Floats(scratch)
                }
                MatrixProduct.multiply(
                    rows: patch,
                    columns: outputs,
                    inner: range.count,
                    a: patches,
                    .transposed,
                    lda: patch,
                    b: outputGradient + start * outputs,
                    ldb: outputs,
                    beta: start == part * share ? 0 : 1,
                    c: sums,
                    ldc: outputs
                )
                start = range.upperBound
            }
        }
        let taps = shape.kernel * shape.kernel
        workers.run(over: inputs, by: 16) { range, _ in
            for input in range {
                for output in 0..<outputs {
                    let target = weightGradient + (output * inputs + input) * taps
                    for tap in 0..<taps {
                        let at = (tap * inputs + input) * outputs + output
                        var sum: Float = 0
                        for part in 0..<parts { sum += workspace[part * patch * outputs + at] }
                        target[tap] += sum
                    }
                }
            }
        }
    }
}
