/// Linear attention (Shen et al., "Efficient Attention", 2018), as in the reference U-Net.
///
///     out = softmax_channels(q) / sqrt(headSize) · (softmax_positions(k)ᵀ · v / positions)
public struct LinearAttention: PlaneKernel {
    /// The geometry.
    public let shape: AttentionShape

    /// Creates linear attention of `shape`.
    public init(_ shape: AttentionShape) { self.shape = shape }

    /// Whether the gradient reads the input.
    public static var gradientReadsInput: Bool { true }
    /// Whether the gradient reads the output.
    public static var gradientReadsOutput: Bool { false }

    var head: Int { shape.positions * shape.headSize }
    var square: Int { shape.headSize * shape.headSize }
    var scale: Float { 1 / Float(shape.headSize).squareRoot() }

    /// The number of positions processed at a time, a multiple of 6.
    private var block: Int { 96 }

    /// Runs the forward pass: `input` is `[batch, positions, 3 width]`, `output` is `[batch, positions, width]`.
    ///
    /// The softmax denominator of the keys and all constant factors are applied once, to the small context
    /// matrix, and not to the keys and queries themselves.
    public func forward(batch: Int, input: Floats, output: MutableFloats, _ workers: ThreadPool) {
        let size = shape.headSize
        // Products with 16-float registers compute an even number of rows.
        let isWide = workers.isWide && shape.positions % 2 == 0
        let product = PanelProduct(
            inner: size,
            columns: size,
            rowStride: size,
            resultStride: shape.width,
            isWide: isWide
        )
        workers.reserveScratch(2 * block * size + 2 * size + square + OuterProduct.wideSumCount)
        workers.run(batch * shape.heads) { item, worker in
            let (image, headIndex) = item.quotientAndRemainder(dividingBy: shape.heads)
            let at = shape.offsets(image: image, head: headIndex)
            let rows = workers.scratch(of: worker)
            let context = rows + 2 * block * size
            let sums = context + square
            computeContext(
                keys: input + at.key,
                values: input + at.value,
                rows: rows,
                sums: sums,
                wideSums: isWide ? sums + 2 * size : nil,
                into: context
            )
            let target = output + shape.outputOffset(image: image, head: headIndex)
            for first in stride(from: 0, to: shape.positions, by: block) {
                let count = min(block, shape.positions - first)
                for position in 0..<count {
                    let row = rows + position * size
                    row.update(from: input + at.query + (first + position) * shape.stride, count: size)
                    Softmax.row(row, count: size)
                }
                product.multiply(rows, count: count, weights: context, into: target + first * shape.width)
            }
        }
    }

    /// Computes `context` = exp(k - peak)ᵀ v · scale / (positions · sum) as panels `[headSize / 16, headSize, 16]`.
    ///
    /// Uses 16-float registers if there is scratch memory for their sums.
    private func computeContext(
        keys: Floats,
        values: Floats,
        rows: MutableFloats,
        sums: MutableFloats,
        wideSums: MutableFloats?,
        into context: MutableFloats
    ) {
        let (size, width) = (shape.headSize, WeightPanels.width)
        let peaks = sums + size
        // With the row stride of the input, the rows would map to the same few cache sets.
        let compact = rows + block * size
        peaks.update(repeating: -.infinity, count: size)
        for position in 0..<shape.positions {
            let key = keys + position * shape.stride
            forEachVector(size) { d, _ in store(larger(load(peaks + d), load(key + d)), peaks + d) }
        }
        sums.update(repeating: 0, count: size)
        context.update(repeating: 0, count: square)
        for first in stride(from: 0, to: shape.positions, by: block) {
            let count = min(block, shape.positions - first)
            for position in 0..<count {
                let key = keys + (first + position) * shape.stride
                forEachVector(size) { d, _ in
                    let e = exp(load(key + d) - load(peaks + d))
                    store(load(sums + d) + e, sums + d)
                    store(e, rows + position * size + d)
                }
                (compact + position * size).update(from: values + (first + position) * shape.stride, count: size)
            }
            let product = OuterProduct(
                left: .init(first: rows, step: size, group: 8),
                right: .init(first: compact, step: size, group: 8),
                rows: size,
                columnGroups: size / 8,
                steps: count,
                target: .init(first: context, row: width, panel: size * width)
            )
            product.add(accumulate: true, wideSums: wideSums)
        }
        for panel in 0..<size / width {
            for d in 0..<size {
                let factor = scale / (Float(shape.positions) * sums[d])
                for column in 0..<width { context[(panel * size + d) * width + column] *= factor }
            }
        }
    }
}
