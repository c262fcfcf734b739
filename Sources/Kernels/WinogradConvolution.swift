/// Convolution 3x3, stride 1, padding 1, in the Winograd domain.
enum WinogradConvolution {
    /// Floats of the packed weights: 36 matrices `[in, out]`.
    static func packedCount(_ shape: ConvolutionShape) -> Int { 36 * shape.inputChannels * shape.outputChannels }

    /// U = G g Gᵀ of each filter: `weight` `[out, in, 3, 3]` to `packed` `[36, in, out]`.
    ///
    /// With `flipped`, `weight` is `[in, out, 3, 3]` and each filter is turned by 180 degrees: the weights
    /// of the data gradient.
    static func pack(
        _ weight: Floats,
        _ shape: ConvolutionShape,
        flipped: Bool,
        into packed: MutableFloats,
        _ workers: Workers
    ) {
        let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
        workers.run(over: inputs, by: 8) { range, _ in
            for input in range {
                for output in 0..<outputs {
                    let g = weight + (flipped ? input * outputs + output : output * inputs + input) * 9
                    var columns = InlineArray<18, Float>(repeating: 0)
                    for column in 0..<3 {
                        let f =
                            flipped
                            ? WinogradTransform.filter((g[8 - column], g[5 - column], g[2 - column]))
                            : WinogradTransform.filter((g[column], g[3 + column], g[6 + column]))
                        columns[column] = f.0
                        columns[3 + column] = f.1
                        columns[6 + column] = f.2
                        columns[9 + column] = f.3
                        columns[12 + column] = f.4
                        columns[15 + column] = f.5
                    }
                    let plane = inputs * outputs
                    let target = packed + input * outputs + output
                    for row in 0..<6 {
                        let u = WinogradTransform.filter(
                            (columns[row * 3], columns[row * 3 + 1], columns[row * 3 + 2])
                        )
                        let at = target + row * 6 * plane
                        at[0] = u.0
                        at[plane] = u.1
                        at[2 * plane] = u.2
                        at[3 * plane] = u.3
                        at[4 * plane] = u.4
                        at[5 * plane] = u.5
                    }
                }
            }
        }
    }

    /// Tiles that are transformed and multiplied together: as many as keep a worker's share of the
    /// Winograd domain near the size of a second-level cache, and few enough to give every thread work.
    private static func block(_ shape: ConvolutionShape) -> Int {
        let floats = 36 * (shape.inputChannels + shape.outputChannels)
        return min(128, max(16, 200_000 / floats / 8 * 8))
    }

    /// y = epilogue(x * w): `input` `[N, H, W, in]`, `packed` from ``pack(_:_:flipped:into:_:)``,
    /// `output` `[N, H, W, out]`.
    static func forward(
        _ shape: ConvolutionShape,
        batch: Int,
        input: Floats,
        packed: Floats,
        epilogue: Epilogue,
        output: MutableFloats,
        _ workers: Workers
    ) {
        let tiles = WinogradTiles(shape)
        let block = block(shape)
        let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
        workers.reserveScratch(WinogradTiles.stage + 36 * block * (inputs + outputs))
        workers.run(over: batch * tiles.perImage, by: block) { range, worker in
            let stage = workers.scratch(of: worker)
            let domain = stage + WinogradTiles.stage
            let products = domain + 36 * block * inputs
            tiles.gatherInput(input, range, stage: stage, target: domain)
            for frequency in 0..<36 {
                MatrixProduct.multiply(
                    rows: range.count,
                    columns: outputs,
                    inner: inputs,
                    a: domain + frequency * range.count * inputs,
                    lda: inputs,
                    b: packed + frequency * inputs * outputs,
                    ldb: outputs,
                    c: products + frequency * range.count * outputs,
                    ldc: outputs
                )
            }
            tiles.scatterOutput(products, range, stage: stage, epilogue: epilogue, output: output)
        }
    }

    /// Floats of workspace for ``weightGradient(_:batch:input:outputGradient:weightGradient:workspace:_:)``.
    static func weightGradientWorkspace(_ shape: ConvolutionShape, batch: Int) -> Int {
        let share = shape.inputChannels + shape.outputChannels
        return packedCount(shape) + 36 * superblock(shape, batch: batch) * share
    }

    /// Tiles whose two transforms are held at once, about 16 MB of them.
    private static func superblock(_ shape: ConvolutionShape, batch: Int) -> Int {
        let tiles = WinogradTiles(shape)
        let fitting = 4_000_000 / (36 * (shape.inputChannels + shape.outputChannels)) / 8 * 8
        return min(batch * tiles.perImage, max(64, fitting))
    }

    /// Adds ∂loss/∂w to `weightGradient` `[out, in, 3, 3]`: dg = Gᵀ (Σ over tiles V ⊙ A dY Aᵀ) G.
    static func weightGradient(
        _ shape: ConvolutionShape,
        batch: Int,
        input: Floats,
        outputGradient: Floats,
        weightGradient: MutableFloats,
        workspace: MutableFloats,
        _ workers: Workers
    ) {
        let tiles = WinogradTiles(shape)
        let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
        let total = batch * tiles.perImage
        let superblock = superblock(shape, batch: batch)
        let sums = workspace
        let domain = sums + packedCount(shape)
        let gradients = domain + 36 * superblock * inputs
        workers.reserveScratch(WinogradTiles.stage + 36 * 16 * max(inputs, outputs))
        var start = 0
        while start < total {
            let count = min(superblock, total - start)
            workers.run(over: count, by: 16) { range, worker in
                let stage = workers.scratch(of: worker)
                let block = stage + WinogradTiles.stage
                let tileRange = start + range.lowerBound..<start + range.upperBound
                tiles.gatherInput(input, tileRange, stage: stage, target: block)
                spread(block, rows: range, of: count, channels: inputs, into: domain)
                tiles.gatherOutputGradient(outputGradient, tileRange, stage: stage, target: block)
                spread(block, rows: range, of: count, channels: outputs, into: gradients)
            }
            let beta: Float = start == 0 ? 0 : 1
            workers.run(36) { frequency, _ in
                MatrixProduct.multiply(
                    rows: inputs,
                    columns: outputs,
                    inner: count,
                    a: domain + frequency * count * inputs,
                    .transposed,
                    lda: inputs,
                    b: gradients + frequency * count * outputs,
                    ldb: outputs,
                    beta: beta,
                    c: sums + frequency * inputs * outputs,
                    ldc: outputs
                )
            }
            start += count
        }
        unpackGradient(sums, shape, into: weightGradient, workers)
    }

    /// Copies a block `[36, rows.count, C]` to its rows of `[36, count, C]`.
    private static func spread(
        _ block: Floats,
        rows: Range<Int>,
        of count: Int,
        channels: Int,
        into target: MutableFloats
    ) {
        let length = rows.count * channels
        for frequency in 0..<36 {
            (target + (frequency * count + rows.lowerBound) * channels)
                .update(from: block + frequency * length, count: length)
        }
    }

    /// dg = Gᵀ dU G for each filter, added to `gradient` `[out, in, 3, 3]`.
    private static func unpackGradient(
        _ sums: Floats,
        _ shape: ConvolutionShape,
        into gradient: MutableFloats,
        _ workers: Workers
    ) {
        let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
        let plane = inputs * outputs
        workers.run(over: inputs, by: 8) { range, _ in
            for input in range {
                for output in 0..<outputs {
                    let u = sums + input * outputs + output
                    var rows = InlineArray<18, Float>(repeating: 0)
                    for row in 0..<6 {
                        let r = u + row * 6 * plane
                        let f = WinogradTransform.filterGradient(
                            (r[0], r[plane], r[2 * plane], r[3 * plane], r[4 * plane], r[5 * plane])
                        )
                        rows[row] = f.0
                        rows[6 + row] = f.1
                        rows[12 + row] = f.2
                    }
                    let target = gradient + (output * inputs + input) * 9
                    for column in 0..<3 {
                        let c = column * 6
                        let f = WinogradTransform.filterGradient(
                            (rows[c], rows[c + 1], rows[c + 2], rows[c + 3], rows[c + 4], rows[c + 5])
                        )
                        target[column] += f.0
                        target[3 + column] += f.1
                        target[6 + column] += f.2
                    }
                }
            }
        }
    }
}
