/// The product of the patches of one band of pixels with packed weights: the innermost loops of a direct convolution.
struct BandProduct {
    let grid: PatchGrid
    /// The patches of the band.
    let patches: PatchGrid.Source
    /// The number of pixels in the band.
    let count: Int
    /// The offset of each pixel's patch from ``patches``, and of its results from ``firstResult``, in floats.
    let patchOffsets, resultOffsets: UnsafePointer<Int32>
    /// The offset of the results of the first pixel in ``output``.
    let firstResult: Int
    /// The weights in panels, `[panel, tapRows, run, 16]`.
    let packed: Floats
    /// The number of output channels.
    let channels: Int
    let epilogue: Epilogue
    let output: MutableFloats

    /// The scratch memory in floats for the sums of 16-float registers.
    static let wideSumCount = WideProduct.rows * WideProduct.columns

    /// Computes all pixels of the band for some panels.
    @inline(__always)
    func multiply(_ panels: Range<Int>) {
        let sixes = RowGroups.inSixes(count)
        for panel in panels {
            if count <= 2 {
                multiply(ProductTile<2>.self, panel: panel, from: 0, to: count)
                continue
            }
            multiply(ProductTile<6>.self, panel: panel, from: 0, to: min(sixes, count))
            multiply(ProductTile<4>.self, panel: panel, from: sixes, to: count)
        }
    }

    /// Computes all pixels of the band for some panels with 16-float registers; `sums` is scratch memory.
    @inline(__always)
    func multiplyWide(_ panels: Range<Int>, sums: MutableFloats) {
        var panel = panels.lowerBound
        while panel < panels.upperBound {
            let panelCount = WideProduct.nextPanels(panels.upperBound - panel)
            var pixel = 0
            while pixel < count {
                let size = WideProduct.nextRows(count - pixel)
                multiplyWide(panel..<panel + panelCount, pixels: pixel..<pixel + size, sums: sums)
                pixel += size
            }
            panel += panelCount
        }
    }

    /// Computes the pixels from `start` to `end` for one panel, one tile after the other.
    @inline(__always)
    private func multiply<let rows: Int>(_: ProductTile<rows>.Type, panel: Int, from start: Int, to end: Int) {
        var first = start
        while first + rows <= end {
            multiply(ProductTile<rows>.self, panel: panel, first: first, used: rows)
            first += rows
        }
        if first < end { multiply(ProductTile<rows>.self, panel: panel, first: first, used: end - first) }
    }

    /// Computes the pixels of one tile, of which `used` are in the band; the last one is repeated to fill the tile.
    @inline(__always)
    private func multiply<let rows: Int>(_: ProductTile<rows>.Type, panel: Int, first: Int, used: Int) {
        var sums = ProductTile<rows>()
        sums.add(
            InlineArray { patch(first + min($0, used - 1)) },
            taps: grid.tapRows,
            tapStride: patches.row,
            inner: grid.run,
            panel: weights(panel)
        )
        finish(panel: panel, pixels: first..<first + used) { (sums.values[$0].low, sums.values[$0].high) }
    }

    /// Computes up to eight pixels for up to three panels; after the last pixel of the band, its patch is repeated.
    @inline(__always)
    private func multiplyWide(_ panels: Range<Int>, pixels: Range<Int>, sums: MutableFloats) {
        WideProduct.multiply(
            rows: pixels.count,
            row: { patch(min(pixels.lowerBound + $0, count - 1)) },
            taps: grid.tapRows,
            tapStride: patches.row,
            inner: grid.run,
            panels: panels.count,
            weights: weights(panels.lowerBound),
            into: sums,
            stride: WideProduct.columns
        )
        for panel in panels {
            let columns = sums + (panel - panels.lowerBound) * WeightPanels.width
            finish(panel: panel, pixels: pixels.lowerBound..<min(count, pixels.upperBound)) { row in
                let place = columns + row * WideProduct.columns
                return (load(place), load(place + 8))
            }
        }
    }

    /// The patch of a pixel.
    @inline(__always)
    private func patch(_ pixel: Int) -> Floats { patches.base + Int(patchOffsets[pixel]) }

    @inline(__always)
    private func weights(_ panel: Int) -> Floats { packed + panel * WeightPanels.width * grid.tapRows * grid.run }

    /// Applies the epilogue to the sums of some pixels for one panel and stores the results.
    @inline(__always)
    private func finish(panel: Int, pixels: Range<Int>, sums: (_ row: Int) -> (low: Vector, high: Vector)) {
        // Copied to local constants, which stay in registers: storing a result could change what a property refers to.
        let (channels, epilogue, output) = (channels, epilogue, output)
        let (firstResult, offsets) = (firstResult, resultOffsets + pixels.lowerBound)
        let channel = panel * WeightPanels.width
        let lowLanes = min(8, channels - channel)
        let highLanes = min(8, channels - channel - 8)
        let lowBias = epilogue.bias.map { load($0 + channel, lowLanes) } ?? .zero
        let highBias = highLanes > 0 ? epilogue.bias.map { load($0 + channel + 8, highLanes) } ?? .zero : .zero
        for row in 0..<pixels.count {
            let place = firstResult + Int(offsets[row]) + channel
            let sum = sums(row)
            epilogue.finish(sum.low + lowBias, at: place, lanes: lowLanes, to: output)
            guard highLanes > 0 else { continue }
            epilogue.finish(sum.high + highBias, at: place + 8, lanes: highLanes, to: output)
        }
    }
}
