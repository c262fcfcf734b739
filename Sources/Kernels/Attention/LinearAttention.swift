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
        workers.reserveScratch(2 * block * size + 2 * size + square + 8 * size)
        workers.run(batch * shape.heads) { item, worker in
            let (image, headIndex) = item.quotientAndRemainder(dividingBy: shape.heads)
            let at = shape.offsets(image: image, head: headIndex)
            let rows = workers.scratch(of: worker)
            let context = rows + 2 * block * size
            let sums = context + square
            // Wide products need pairs of whole panels and an even number of rows.
            let fits = size % (2 * WeightPanels.width) == 0 && shape.positions % 2 == 0
            let wide = workers.isWide && fits ? sums + 2 * size : nil
            summarize(input + at.key, input + at.value, rows: rows, sums: sums, wide: wide, into: context)
            let target = output + shape.outputOffset(image: image, head: headIndex)
            for first in stride(from: 0, to: shape.positions, by: block) {
                let count = min(block, shape.positions - first)
                for position in 0..<count {
                    let row = rows + position * size
                    row.update(from: input + at.query + (first + position) * shape.stride, count: size)
                    Softmax.row(row, count: size)
                }
                multiplyByContext(rows, count, in: context, isWide: wide != nil, target + first * shape.width)
            }
        }
    }

    /// Computes `context` = exp(k - peak)ᵀ v · scale / (positions · sum) as panels `[headSize / 16, headSize, 16]`.
    ///
    /// Uses 16-float registers if there is scratch memory for their sums.
    private func summarize(
        _ keys: Floats,
        _ values: Floats,
        rows: MutableFloats,
        sums: MutableFloats,
        wide: MutableFloats?,
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
            if let wide {
                for pair in stride(from: 0, to: size, by: 2 * width) {
                    for d in stride(from: 0, to: size, by: 8) {
                        wide.update(repeating: 0, count: 8 * 2 * width)
                        WideProduct.addOuter(
                            rows + d,
                            stride: size,
                            groups: 4,
                            { Floats(compact + pair + 8 * $0) },
                            width: size,
                            count: count,
                            to: wide
                        )
                        for row in 0..<8 {
                            for half in stride(from: 0, to: 2 * width, by: 8) {
                                let panel = (pair + half) / width
                                let target = context + (panel * size + d + row) * width + half % width
                                store(load(target) + load(wide + row * 2 * width + half), target)
                            }
                        }
                    }
                }
                continue
            }
            for panel in 0..<size / width {
                let value = compact + panel * width
                for d in stride(from: 0, to: size, by: 4) {
                    var tile = ProductTile<4>()
                    tile.addOuter(rows + d, stride: size, value, value + 8, width: size, count: count)
                    for row in 0..<4 {
                        let target = context + (panel * size + d + row) * width
                        store(load(target) + tile.values[row].low, target)
                        store(load(target + 8) + tile.values[row].high, target + 8)
                    }
                }
            }
        }
        for panel in 0..<size / width {
            for d in 0..<size {
                let factor = scale / (Float(shape.positions) * sums[d])
                for column in 0..<width { context[(panel * size + d) * width + column] *= factor }
            }
        }
    }

    /// Computes output = rows · context for `count` positions.
    private func multiplyByContext(
        _ rows: Floats,
        _ count: Int,
        in context: Floats,
        isWide: Bool,
        _ output: MutableFloats
    ) {
        let (size, width) = (shape.headSize, WeightPanels.width)
        if isWide {
            for pair in stride(from: 0, to: size, by: 2 * width) {
                var first = 0
                while first < count {
                    let together = WideProduct.nextRows(count - first)
                    WideProduct.multiply(
                        rows: together,
                        panels: 2,
                        { rows + (first + $0) * size },
                        inner: size,
                        panel: context + pair * size,
                        result: output + first * shape.width + pair,
                        stride: shape.width
                    )
                    first += together
                }
            }
            return
        }
        for panel in 0..<size / width {
            for first in stride(from: 0, to: count, by: 6) {
                var tile = ProductTile<6>()
                tile.add(
                    InlineArray { rows + (first + $0) * size },
                    inner: size,
                    panel: context + panel * size * width
                )
                for row in 0..<6 where first + row < count {
                    let target = output + (first + row) * shape.width + panel * width
                    store(tile.values[row].low, target)
                    store(tile.values[row].high, target + 8)
                }
            }
        }
    }
}
