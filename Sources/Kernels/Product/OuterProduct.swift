/// Sums of outer products, Σ aᵀ b over steps: weight gradients, and the context of linear attention.
///
/// Which micro-kernels it uses is described in docs/decisions/10-products.md.
struct OuterProduct {
    /// A factor: some groups of eight numbers in each step.
    struct Factor {
        /// The first number of the first step.
        let first: Floats
        /// The strides between steps and between groups, in floats.
        let step, group: Int
    }

    /// The result: sixteen sums for each row of each panel.
    struct Target {
        /// The first row of the first panel.
        let first: MutableFloats
        /// The strides between rows and between panels, in floats.
        let row, panel: Int
    }

    /// Runs of steps: some lines of some images, such as the pixels of a band.
    struct Runs {
        /// The number of images, and the number of lines in an image.
        let images, lines: Int
        /// The strides of the left factor between images and between lines, in floats.
        let leftImage, leftLine: Int
        /// The stride of the right factor between lines, in floats; images follow without a gap.
        let rightLine: Int

        /// A single run.
        static let single = Runs(images: 1, lines: 1, leftImage: 0, leftLine: 0, rightLine: 0)
    }

    /// The factors; up to seven numbers after the last row are read, and their values do not matter.
    let left, right: Factor
    /// The number of rows of the result, and the number of groups of eight columns.
    let rows, columnGroups: Int
    /// The number of steps in a run.
    let steps: Int
    var runs = Runs.single
    let target: Target

    /// The scratch memory in floats for the sums of 16-float registers.
    static let wideSumCount = WideProduct.outerRows * WideProduct.outerPanels * WeightPanels.width

    private var panels: Int { (columnGroups + 1) / 2 }

    /// Stores the sums, or adds them when `accumulate`.
    ///
    /// `wideSums` is scratch memory of ``wideSumCount`` floats to use 16-float registers, or nil.
    @inline(__always)
    func add(accumulate: Bool, wideSums: MutableFloats?) {
        if let wideSums { addWide(accumulate: accumulate, sums: wideSums) } else { addTiles(accumulate: accumulate) }
    }

    /// Computes four rows by one panel at a time.
    @inline(__always)
    private func addTiles(accumulate: Bool) {
        for panel in 0..<panels {
            for row in stride(from: 0, to: rows, by: 4) {
                var tile = ProductTile<4>()
                let (low, high) = (rightOffset(2 * panel), rightOffset(2 * panel + 1))
                forEachRun(row: row) { left, right in
                    tile.addOuter(
                        left: left,
                        leftStride: self.left.step,
                        low: right + low,
                        high: right + high,
                        rightStride: self.right.step,
                        steps: steps
                    )
                }
                let first = target.first + panel * target.panel + row * target.row
                for index in 0..<4 where row + index < rows {
                    let place = first + index * target.row
                    finish(tile.values[index].low, at: place, accumulate: accumulate)
                    finish(tile.values[index].high, at: place + 8, accumulate: accumulate)
                }
            }
        }
    }

    /// Computes eight rows by two panels at a time with 16-float registers.
    private func addWide(accumulate: Bool, sums: MutableFloats) {
        for panel in stride(from: 0, to: panels, by: WideProduct.outerPanels) {
            let panelCount = min(WideProduct.outerPanels, panels - panel)
            let width = panelCount * WeightPanels.width
            for row in stride(from: 0, to: rows, by: WideProduct.outerRows) {
                sums.update(repeating: 0, count: WideProduct.outerRows * width)
                forEachRun(row: row) { left, right in
                    WideProduct.addOuter(
                        left: left,
                        leftStride: self.left.step,
                        panels: panelCount,
                        group: { right + rightOffset(2 * panel + $0) },
                        rightStride: self.right.step,
                        steps: steps,
                        to: sums
                    )
                }
                for index in 0..<min(WideProduct.outerRows, rows - row) {
                    for half in 0..<2 * panelCount {
                        let place = target.first + (panel + half / 2) * target.panel + (row + index) * target.row
                        let sum = load(sums + index * width + 8 * half)
                        finish(sum, at: place + half % 2 * 8, accumulate: accumulate)
                    }
                }
            }
        }
    }

    /// Calls `body` for each run with the place of `row` in the left factor and the first place in the right factor.
    @inline(__always)
    private func forEachRun(row: Int, _ body: (_ left: Floats, _ right: Floats) -> Void) {
        let first = left.first + row / 8 * left.group + row % 8
        var right = right.first
        for image in 0..<runs.images {
            for line in 0..<runs.lines {
                body(first + image * runs.leftImage + line * runs.leftLine, right)
                right += runs.rightLine
            }
        }
    }

    /// The offset of a group of columns.
    ///
    /// If the last panel has no second half, the first one takes its place; those sums are never read.
    @inline(__always)
    private func rightOffset(_ group: Int) -> Int { min(group, columnGroups - 1) * right.group }

    @inline(__always)
    private func finish(_ sum: Vector, at place: MutableFloats, accumulate: Bool) {
        store(accumulate ? load(place) + sum : sum, place)
    }
}
