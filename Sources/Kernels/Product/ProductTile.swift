/// The panel layout of weights `[inner, columns]` for ``ProductTile``: panels of sixteen columns, each
/// `[inner, 16]`, with zeros after the last column.
enum WeightPanels {
    /// The number of columns in a panel.
    static let width = 16

    /// The number of panels of a matrix with `columns` columns.
    static func count(columns: Int) -> Int { (columns + width - 1) / width }

    /// The size in floats of a matrix in panels.
    static func floats(inner: Int, columns: Int) -> Int { count(columns: columns) * width * inner }
}

/// How rows are divided into tiles: six at a time, with tiles of four at the end so that few rows are wasted.
enum RowGroups {
    /// The number of rows at the start, a multiple of 6, that are computed in tiles of six; the rest is computed in tiles
    /// of four.
    ///
    /// 8 rows are 4 and 4, not 6 and 2; 5 rows are a tile of six.
    static func inSixes(_ count: Int) -> Int {
        let rest = count % 6
        return switch rest {
        case 1, 2: max(0, count - rest - 6)
        case 5: count + 1
        default: count - rest
        }
    }

    /// The number of rows that are computed for `count` rows.
    static func computed(_ count: Int) -> Int { max(4, (count + 1) / 2 * 2) }
}

/// The micro-kernel of a matrix product: `rows` rows by sixteen columns, summed in registers.
///
/// This is the innermost loop of the engine. BLAS packs both factors in every call. Here weights are packed once
/// and rows are read in place, so almost all of the time is spent on multiply-adds. With register blocking of six
/// rows the sums fill 12 of the 16 vector registers, and the loop reaches 95% of the processor's peak.
struct ProductTile<let rows: Int> {
    /// One row of the tile.
    struct Row {
        var low = Vector.zero
        var high = Vector.zero
    }

    /// The sums.
    var values = InlineArray<rows, Row>(repeating: Row())

    /// Adds a·w for `rows` pointers to `inner` numbers each, for each of `taps` runs that are `tapStride` floats apart,
    /// and `panel` `[taps, inner, 16]`.
    @inline(__always)
    mutating func add(
        _ a: InlineArray<rows, Floats>,
        taps: Int = 1,
        tapStride: Int = 0,
        inner: Int,
        panel: Floats
    ) {
        // A copy, so that the sums stay in registers wherever the tile itself is stored.
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

    /// Adds Σ aᵀ b over `steps` steps: a is `rows` numbers at `left`, and b is eight numbers at `low` and eight at
    /// `high`; the strides are those between steps.
    @inline(__always)
    mutating func addOuter(
        left: Floats,
        leftStride: Int,
        low: Floats,
        high: Floats,
        rightStride: Int,
        steps: Int
    ) {
        var sums = values
        defer { values = sums }
        var (left, right) = (left, 0)
        for _ in 0..<steps {
            let (one, two) = (load(low + right), load(high + right))
            for row in 0..<rows {
                let number = Vector(repeating: left[row])
                sums[row].low = fused(number, one, sums[row].low)
                sums[row].high = fused(number, two, sums[row].high)
            }
            left += leftStride
            right += rightStride
        }
    }
}

/// A micro-kernel of `rows` rows by eight columns, for a last panel that is half empty.
struct HalfPanelTile<let rows: Int> {
    /// The sums.
    var values = InlineArray<rows, Vector>(repeating: .zero)

    /// Adds a·w for `rows` pointers to `inner` numbers each and the first half of `panel` `[inner, 16]`.
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
