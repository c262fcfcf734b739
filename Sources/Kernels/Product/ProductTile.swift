/// Weights `[inner, columns]` laid out for ``ProductTile``: panels of sixteen columns, each
/// `[inner, 16]`, with zeros behind the last column.
enum WeightPanels {
    /// The columns of a panel.
    static let width = 16

    /// The panels of a matrix with `columns` columns.
    static func count(columns: Int) -> Int { (columns + width - 1) / width }

    /// Floats of a matrix in panels.
    static func floats(inner: Int, columns: Int) -> Int { count(columns: columns) * width * inner }
}

/// How rows are shared out to tiles: six at a time, and the last few so that hardly any is computed in vain.
enum RowGroups {
    /// The rows of the next tile, 6 or 4, of `rest` that are left: 8 are two fours, not six and two.
    @inline(__always)
    static func next(_ rest: Int) -> Int { rest <= 4 || rest == 7 || rest == 8 ? 4 : 6 }

    /// The rows computed for `count`.
    static func computed(_ count: Int) -> Int { max(4, (count + 1) / 2 * 2) }
}

/// `rows` rows by sixteen columns of a matrix product, kept in registers while it is summed.
///
/// The engine's innermost loop. BLAS packs both factors at every call; weights are packed once, and rows
/// are read where they are, so the multiply-adds are nearly all that is left: six rows fill twelve of
/// the sixteen vector registers and run at 95% of what the processor can do.
struct ProductTile<let rows: Int> {
    /// One row of the tile.
    struct Row {
        var low = Vector.zero
        var high = Vector.zero
    }

    /// The sums.
    var values = InlineArray<rows, Row>(repeating: Row())

    /// Adds a·w: `rows` pointers to `inner` numbers each, for each of `taps` runs `tapStride` floats
    /// apart, against `panel` `[taps, inner, 16]`.
    @inline(__always)
    mutating func add(
        _ a: InlineArray<rows, Floats>,
        taps: Int = 1,
        tapStride: Int = 0,
        inner: Int,
        panel: Floats
    ) {
        // A copy, so that the sums stay in registers wherever the tile itself is.
        var sums = values
        defer { values = sums }
        var weights = panel
        var start = 0
        for _ in 0..<taps {
            for place in start..<start + inner {
                let (low, high) = (load(weights), load(weights + 8))
                weights += WeightPanels.width
                for row in 0..<rows {
                    let number = Vector(repeating: a[row][place])
                    sums[row].low = fused(number, low, sums[row].low)
                    sums[row].high = fused(number, high, sums[row].high)
                }
            }
            start += tapStride
        }
    }

    /// Adds Σ aᵀ b over `count` steps: `rows` numbers at `a`, `stride` floats further each step, against the
    /// sixteen at `low` and `high`, `width` floats further each step.
    @inline(__always)
    mutating func addOuter(_ a: Floats, stride: Int, _ low: Floats, _ high: Floats, width: Int, count: Int) {
        var sums = values
        defer { values = sums }
        var (left, right) = (a, 0)
        for _ in 0..<count {
            let (one, two) = (load(low + right), load(high + right))
            for row in 0..<rows {
                let number = Vector(repeating: left[row])
                sums[row].low = fused(number, one, sums[row].low)
                sums[row].high = fused(number, two, sums[row].high)
            }
            left += stride
            right += width
        }
    }
}

/// `rows` rows by eight columns: for a last panel that is half empty.
struct NarrowProductTile<let rows: Int> {
    /// The sums.
    var values = InlineArray<rows, Vector>(repeating: .zero)

    /// Adds a·w: `rows` pointers to `inner` numbers each, against the first half of `panel` `[inner, 16]`.
    @inline(__always)
    mutating func add(_ a: InlineArray<rows, Floats>, inner: Int, panel: Floats) {
        var sums = values
        defer { values = sums }
        for place in 0..<inner {
            let weights = load(panel + place * WeightPanels.width)
            for row in 0..<rows { sums[row] = fused(Vector(repeating: a[row][place]), weights, sums[row]) }
        }
    }
}
