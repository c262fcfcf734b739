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
                    domain.multiply(frequency, tiles: range.count, inputs, packed, products)
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
                domain.multiply(frequency, tiles: count, inputs, packed, products)
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
        let shape: ConvolutionShape
        let inputs, outputs: WinogradLayout
        let isWide: Bool

        init(_ shape: ConvolutionShape, tiles: Int, isWide: Bool) {
            self.shape = shape
            self.isWide = isWide
            let columns = WeightPanels.count(columns: shape.outputChannels) * WeightPanels.width
            inputs = .rows(tiles: tiles, channels: shape.inputChannels)
            outputs = .rows(tiles: tiles, channels: columns)
        }

        var count: Int { Transform.frequencies * (inputs.frequency + outputs.frequency) }

        func parts(of memory: MutableFloats) -> (inputs: MutableFloats, products: MutableFloats) {
            (memory, memory + Transform.frequencies * inputs.frequency)
        }

        /// Computes M = V U for one frequency.
        func multiply(
            _ frequency: Int,
            tiles: Int,
            _ domain: MutableFloats,
            _ packed: Floats,
            _ products: MutableFloats
        ) {
            let channels = shape.inputChannels
            let rows = domain + frequency * inputs.frequency
            let results = products + frequency * outputs.frequency
            let panels = WeightPanels.count(columns: shape.outputChannels)
            let weights = packed + frequency * panels * WeightPanels.width * channels
            if isWide { return multiplyWide(tiles, panels, rows, weights, results) }
            let isLastNarrow = (1...8).contains(shape.outputChannels % WeightPanels.width)
            for panel in 0..<panels {
                let panelWeights = weights + panel * WeightPanels.width * channels
                let columns = results + panel * WeightPanels.width
                if isLastNarrow, panel == panels - 1 {
                    multiplyNarrow(tiles, rows, panelWeights, columns)
                    break
                }
                var tile = 0
                while tile < tiles {
                    let size = RowGroups.next(tiles - tile)
                    if size == 6 {
                        group(ProductTile<6>(), tile, rows, panelWeights, columns)
                    } else {
                        group(ProductTile<4>(), tile, rows, panelWeights, columns)
                    }
                    tile += size
                }
            }
        }

        /// Computes all products with 16-float registers.
        private func multiplyWide(
            _ tiles: Int,
            _ panels: Int,
            _ rows: MutableFloats,
            _ weights: Floats,
            _ results: MutableFloats
        ) {
            var panel = 0
            while panel < panels {
                let count = WideProduct.nextPanels(panels - panel)
                var tile = 0
                while tile < tiles {
                    let size = WideProduct.nextRows(tiles - tile)
                    WideProduct.multiply(
                        rows: size,
                        panels: count,
                        { Floats(rows + (tile + $0) * inputs.tile) },
                        inner: shape.inputChannels,
                        panel: weights + panel * WeightPanels.width * shape.inputChannels,
                        result: results + tile * outputs.tile + panel * WeightPanels.width,
                        stride: outputs.tile
                    )
                    tile += size
                }
                panel += count
            }
        }

        /// Computes the products of some tiles with one panel; rows after the last tile may hold any values.
        @inline(__always)
        private func group<let size: Int>(
            _ empty: ProductTile<size>,
            _ tile: Int,
            _ rows: MutableFloats,
            _ weights: Floats,
            _ columns: MutableFloats
        ) {
            var sums = empty
            sums.add(
                InlineArray { Floats(rows + (tile + $0) * inputs.tile) },
                inner: shape.inputChannels,
                panel: weights
            )
            let target = columns + tile * outputs.tile
            for row in 0..<size {
                store(sums.values[row].low, target + row * outputs.tile)
                store(sums.values[row].high, target + row * outputs.tile + 8)
            }
        }

        /// Does the same for a panel of eight columns or fewer, twelve tiles at a time.
        private func multiplyNarrow(_ tiles: Int, _ rows: MutableFloats, _ weights: Floats, _ columns: MutableFloats) {
            for tile in stride(from: 0, to: tiles, by: 12) {
                var sums = NarrowProductTile<12>()
                sums.add(
                    InlineArray { Floats(rows + min(tile + $0, tiles - 1) * inputs.tile) },
                    inner: shape.inputChannels,
                    panel: weights
                )
                for row in 0..<12 where tile + row < tiles {
                    store(sums.values[row], columns + (tile + row) * outputs.tile)
                }
            }
        }
    }
}
