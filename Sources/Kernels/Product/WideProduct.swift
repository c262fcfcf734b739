import CVector

/// Products on registers of sixteen floats (AVX-512), where the processor has them: eight rows by up to three
/// panels at a time, twice as fast as ``ProductTile`` and the same to the last bit.
enum WideProduct {
    /// Whether the processor has them.
    static let isSupported = dia_has_wide_product()

    /// The most rows and the most columns of one product.
    static let rows = Int(DIA_WIDE_ROWS)
    static let columns = Int(DIA_WIDE_PANELS) * WeightPanels.width

    /// The rows of the next product, an even number, of `rest` that are left.
    @inline(__always)
    static func nextRows(_ rest: Int) -> Int { min(rows, (rest + 1) / 2 * 2) }

    /// The panels of the next product of `rest` that are left: one alone would wait for its own sums.
    @inline(__always)
    static func nextPanels(_ rest: Int) -> Int { rest > 1 && rest % 3 == 1 ? 2 : min(3, rest) }

    /// a·w to `result`, rows `stride` floats apart: `rows` of `row`, `inner` numbers each, for each of `taps` runs
    /// `tapStride` floats apart, against `panels` panels `[taps, inner, 16]` at `panel`.
    @inline(__always)
    static func multiply(
        rows: Int,
        panels: Int,
        _ row: (Int) -> Floats,
        taps: Int = 1,
        tapStride: Int = 0,
        inner: Int,
        panel: Floats,
        result: MutableFloats,
        stride: Int
    ) {
        let pointers = InlineArray<8, Floats?> { $0 < rows ? row($0) : nil }
        withPointers(pointers) {
            dia_wide_product(
                rows,
                panels,
                $0,
                taps,
                tapStride,
                inner,
                panel,
                taps * inner * WeightPanels.width,
                result,
                stride
            )
        }
    }

    /// Adds Σ aᵀ b over `count` steps to `sums` `[8, 8 · groups]`: eight numbers at `a`, `stride` floats further
    /// each step, against eight of each `group` (two or four of them), `width` floats further each step.
    @inline(__always)
    static func addOuter(
        _ a: Floats,
        stride: Int,
        groups: Int,
        _ group: (Int) -> Floats,
        width: Int,
        count: Int,
        to sums: MutableFloats
    ) {
        let pointers = InlineArray<8, Floats?> { $0 < groups ? group($0) : nil }
        withPointers(pointers) { dia_wide_outer_product(groups / 2, a, stride, $0, width, count, sums) }
    }

    @inline(__always)
    private static func withPointers(
        _ pointers: InlineArray<8, Floats?>,
        _ body: (UnsafePointer<Floats?>) -> Void
    ) {
        withUnsafePointer(to: pointers) { $0.withMemoryRebound(to: Floats?.self, capacity: 8) { body($0) } }
    }
}
