/// A 3x3 convolution with padding 1 and the stride of the transform, computed in the Winograd domain.
enum WinogradConvolution<Transform: WinogradTransform> {
    /// The size in floats of the weights of one frequency.
    static func plane(_ shape: ConvolutionShape) -> Int {
        WeightPanels.floats(inner: shape.inputChannels, columns: shape.outputChannels)
    }

    /// The size in floats of the packed weights: panels of `[in, out]` for each frequency.
    static func packedCount(_ shape: ConvolutionShape) -> Int { Transform.frequencies * plane(shape) }

    /// Whether the packed weights fit approximately into a second-level cache.
    static func isSmall(_ shape: ConvolutionShape) -> Bool { packedCount(shape) <= 600_000 }

    /// Computes U = G g Gᵀ for each filter: packs `weight` `[out, in, 3, 3]` into `[frequencies, panel, in, 16]`.
    ///
    /// With `flipped`, `weight` is `[in, out, 3, 3]` and each filter is rotated by 180 degrees: these are the
    /// weights of the input gradient.
    static func pack(
        _ weight: Floats,
        _ shape: ConvolutionShape,
        flipped: Bool,
        into packed: MutableFloats,
        _ workers: ThreadPool
    ) {
        let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
        let (width, plane) = (WeightPanels.width, plane(shape))
        workers.reserveScratch((9 + 3 * Transform.points) * width)
        let chunk = 16
        let chunks = (inputs + chunk - 1) / chunk
        workers.run(WeightPanels.count(columns: outputs) * chunks) { item, worker in
            let (panel, part) = item.quotientAndRemainder(dividingBy: chunks)
            let taps = workers.scratch(of: worker)
            let columns = min(width, outputs - panel * width)
            taps.update(repeating: 0, count: 9 * width)
            for input in part * chunk..<min(inputs, (part + 1) * chunk) {
                for column in 0..<columns {
                    let output = panel * width + column
                    let g = weight + (flipped ? input * outputs + output : output * inputs + input) * 9
                    for tap in 0..<9 { taps[(flipped ? 8 - tap : tap) * width + column] = g[tap] }
                }
                let target = packed + (panel * inputs + input) * width
                transform(taps, stage: taps + 9 * width, into: target, plane: plane)
            }
        }
    }

    /// Computes U = G g Gᵀ of sixteen interleaved filters, `[9, 16]`, and writes sixteen numbers to each frequency.
    ///
    /// `stage` is scratch memory, `[points, 3, 16]`.
    @inline(__always)
    static func transform(_ taps: Floats, stage: MutableFloats, into target: MutableFloats, plane: Int) {
        let (points, width) = (Transform.points, WeightPanels.width)
        for half in [0, 8] {
            for column in 0..<3 {
                Transform.filter(
                    { row in load(taps + (row * 3 + column) * width + half) },
                    { row, value in store(value, stage + (row * 3 + column) * width + half) }
                )
            }
        }
        for row in 0..<points {
            for half in [0, 8] {
                Transform.filter(
                    { column in load(stage + (row * 3 + column) * width + half) },
                    { column, value in store(value, target + (row * points + column) * plane + half) }
                )
            }
        }
    }

    /// Computes y = epilogue(x * w): `input` is `[N, H, W, in]`, `packed` comes from ``pack(_:_:flipped:into:_:)``,
    /// and `output` is `[N, H, W, out]`.
    ///
    /// With small weights and many tiles, each thread runs all three phases on one block of tiles, sized for its
    /// second-level cache. With large weights or few tiles, all threads run each phase together, so that the
    /// weights are read only once.
    static func forward(
        _ shape: ConvolutionShape,
        batch: Int,
        input: Floats,
        packed: Floats,
        epilogue: Epilogue,
        output: MutableFloats,
        _ workers: ThreadPool
    ) {
        let tiles = WinogradTiles<Transform>(shape)
        let staging = WinogradTiles<Transform>.stage
        let total = batch * tiles.perImage
        let zeros = workers.zeros(Transform.patch * shape.inputChannels)
        let block = min(96, tilesFitting(80_000, shape))
        if total >= 4 * block, isSmall(shape) {
            let domain = Domain(shape, tiles: block, isWide: workers.isWide)
            workers.reserveScratch(staging + domain.count)
            workers.run(over: total, by: block) { range, worker in
                let stage = workers.scratch(of: worker)
                let (inputs, products) = domain.parts(of: stage + staging)
                tiles.gatherInput(input, range, zeros: zeros, stage: stage, target: inputs, domain.inputs)
                for frequency in 0..<Transform.frequencies {
                    domain.multiply(
                        frequency: frequency,
                        tiles: range.count,
                        inputs: inputs,
                        packed: packed,
                        into: products
                    )
                }
                tiles.scatterOutput(products, domain.outputs, range, stage: stage, epilogue: epilogue, output: output)
            }
            return
        }
        let most = tilesFitting(2_500_000, shape)
        let blocks = (total + most - 1) / most
        let size = (total + blocks - 1) / blocks
        let domain = Domain(shape, tiles: (size + 5) / 6 * 6, isWide: workers.isWide)
        workers.reserveScratch(staging)
        let (inputs, products) = domain.parts(of: workers.sharedScratch(domain.count))
        for first in stride(from: 0, to: total, by: size) {
            let count = min(size, total - first)
            workers.run(over: count, by: 4) { range, worker in
                let part = first + range.lowerBound..<first + range.upperBound
                let target = inputs + range.lowerBound * domain.inputs.tile
                let stage = workers.scratch(of: worker)
                tiles.gatherInput(input, part, zeros: zeros, stage: stage, target: target, domain.inputs)
            }
            workers.run(Transform.frequencies) { frequency, _ in
                domain.multiply(frequency: frequency, tiles: count, inputs: inputs, packed: packed, into: products)
            }
            workers.run(over: count, by: 4) { range, worker in
                let part = first + range.lowerBound..<first + range.upperBound
                let source = products + range.lowerBound * domain.outputs.tile
                let stage = workers.scratch(of: worker)
                tiles.scatterOutput(source, domain.outputs, part, stage: stage, epilogue: epilogue, output: output)
            }
        }
    }

    /// The number of tiles, a multiple of 6, that take about `floats` in the Winograd domain.
    private static func tilesFitting(_ floats: Int, _ shape: ConvolutionShape) -> Int {
        max(12, floats / (Transform.frequencies * (shape.inputChannels + shape.outputChannels)) / 6 * 6)
    }

    /// The inputs and the products of a number of tiles, a multiple of 6, in the Winograd domain.
    private struct Domain {
        let inputs, outputs: WinogradLayout
        private let product: PanelProduct
        /// The size in floats of the weights of one frequency.
        private let plane: Int

        init(_ shape: ConvolutionShape, tiles: Int, isWide: Bool) {
            let columns = WeightPanels.count(columns: shape.outputChannels) * WeightPanels.width
            inputs = .rows(tiles: tiles, channels: shape.inputChannels)
            outputs = .rows(tiles: tiles, channels: columns)
            plane = WinogradConvolution.plane(shape)
            product = PanelProduct(
                inner: shape.inputChannels,
                columns: shape.outputChannels,
                rowStride: inputs.tile,
                resultStride: outputs.tile,
                isWide: isWide
            )
        }

        var count: Int { Transform.frequencies * (inputs.frequency + outputs.frequency) }

        func parts(of memory: MutableFloats) -> (inputs: MutableFloats, products: MutableFloats) {
            (memory, memory + Transform.frequencies * inputs.frequency)
        }

        /// Computes M = V U for the first `tiles` tiles of one frequency.
        func multiply(
            frequency: Int,
            tiles: Int,
            inputs rows: Floats,
            packed: Floats,
            into products: MutableFloats
        ) {
            product.multiply(
                rows + frequency * inputs.frequency,
                count: tiles,
                weights: packed + frequency * plane,
                into: products + frequency * outputs.frequency
            )
        }
    }
}
