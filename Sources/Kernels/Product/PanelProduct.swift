/// The product of rows, which are read in place, with weights in panels; the result is stored row by row.
///
/// This and ``OuterProduct`` choose between the micro-kernels, which docs/decisions/10-products.md lists. All of them
/// add the terms of a sum in the same order, so results are bit-identical.
package struct PanelProduct {
    /// The length of a row, and the number of columns of the weights.
    private let inner, columns: Int
    /// The strides between rows and between rows of the result, in floats.
    private let rowStride, resultStride: Int
    /// Whether to use 16-float registers.
    private let isWide: Bool

    /// Creates a product `[rows, inner] x [inner, columns]`.
    ///
    /// `resultStride` is at least `columns` rounded up to whole panels.
    package init(inner: Int, columns: Int, rowStride: Int, resultStride: Int, isWide: Bool) {
        self.inner = inner
        self.columns = columns
        self.rowStride = rowStride
        self.resultStride = resultStride
        self.isWide = isWide
    }

    /// Writes the products of `count` rows with `weights` `[panel, inner, 16]` to `results`.
    ///
    /// Reads up to three more rows, whose values do not matter. With 16-float registers and an odd `count`, writes one
    /// more row.
    @inline(never)
    package func multiply(_ rows: Floats, count: Int, weights: Floats, into results: MutableFloats) {
        if isWide { return multiplyWide(rows, count: count, weights: weights, into: results) }
        let panels = WeightPanels.count(columns: columns)
        let sixes = RowGroups.inSixes(count)
        let isLastHalfEmpty = (1...8).contains(columns % WeightPanels.width)
        for panel in 0..<panels {
            let panelWeights = weights + panel * WeightPanels.width * inner
            let target = results + panel * WeightPanels.width
            if isLastHalfEmpty, panel == panels - 1 {
                multiplyHalfPanel(rows, count: count, panel: panelWeights, into: target)
                break
            }
            multiply(ProductTile<6>.self, rows, from: 0, to: min(sixes, count), panel: panelWeights, into: target)
            multiply(ProductTile<4>.self, rows, from: sixes, to: count, panel: panelWeights, into: target)
        }
    }

    /// Computes the products of the rows from `start` to `end` with one panel, one tile after the other.
    @inline(__always)
    private func multiply<let size: Int>(
        _: ProductTile<size>.Type,
        _ rows: Floats,
        from start: Int,
        to end: Int,
        panel: Floats,
        into target: MutableFloats
    ) {
        var first = start
        while first + size <= end {
            multiply(ProductTile<size>.self, rows, first: first, used: size, panel: panel, into: target)
            first += size
        }
        if first < end {
            multiply(ProductTile<size>.self, rows, first: first, used: end - first, panel: panel, into: target)
        }
    }

    /// Computes the products of the rows of one tile, and stores the first `used` of them.
    @inline(__always)
    private func multiply<let size: Int>(
        _: ProductTile<size>.Type,
        _ rows: Floats,
        first: Int,
        used: Int,
        panel: Floats,
        into target: MutableFloats
    ) {
        var sums = ProductTile<size>()
        sums.add(InlineArray { rows + (first + $0) * rowStride }, inner: inner, panel: panel)
        for row in 0..<size where row < used {
            let place = target + (first + row) * resultStride
            store(sums.values[row].low, place)
            store(sums.values[row].high, place + 8)
        }
    }

    /// Computes the products with a panel of at most eight columns, twelve rows at a time.
    private func multiplyHalfPanel(_ rows: Floats, count: Int, panel: Floats, into target: MutableFloats) {
        for first in stride(from: 0, to: count, by: 12) {
            var sums = HalfPanelTile<12>()
            sums.add(InlineArray { rows + min(first + $0, count - 1) * rowStride }, inner: inner, panel: panel)
            for row in 0..<12 where first + row < count {
                store(sums.values[row], target + (first + row) * resultStride)
            }
        }
    }

    /// Computes the products with 16-float registers.
    private func multiplyWide(_ rows: Floats, count: Int, weights: Floats, into results: MutableFloats) {
        let panels = WeightPanels.count(columns: columns)
        var panel = 0
        while panel < panels {
            let panelCount = WideProduct.nextPanels(panels - panel)
            var row = 0
            while row < count {
                let size = WideProduct.nextRows(count - row)
                WideProduct.multiply(
                    rows: size,
                    row: { rows + (row + $0) * rowStride },
                    inner: inner,
                    panels: panelCount,
                    weights: weights + panel * WeightPanels.width * inner,
                    into: results + row * resultStride + panel * WeightPanels.width,
                    stride: resultStride
                )
                row += size
            }
            panel += panelCount
        }
    }
}
