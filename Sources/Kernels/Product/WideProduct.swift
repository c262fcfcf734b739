import CVector

/// Matrix products with 16-float registers (AVX-512), if the processor has them.
///
/// Computes eight rows by up to three panels at a time. Twice as fast as ``ProductTile``, with bit-identical results;
/// docs/decisions/10-products.md says when each is used.
enum WideProduct {
    /// Whether the processor has 16-float registers.
    static let isSupported = dia_has_wide_product()

    /// The largest number of rows and of columns of one product.
    static let rows = Int(DIA_WIDE_ROWS)
    static let columns = Int(DIA_WIDE_PANELS) * WeightPanels.width

    /// The number of rows and the largest number of panels of one sum of outer products.
    static let outerRows = 8
    static let outerPanels = 2

    /// The number of rows of the next product, an even number, if `rest` are left.
    @inline(__always)
    static func nextRows(_ rest: Int) -> Int { min(rows, (rest + 1) / 2 * 2) }

    /// The number of panels of the next product if `rest` are left; a single panel would be limited by latency.
    @inline(__always)
    static func nextPanels(_ rest: Int) -> Int { rest > 1 && rest % 3 == 1 ? 2 : min(3, rest) }

    /// Writes a·w to `result`, with rows `stride` floats apart.
    ///
    /// The factors are `rows` rows at `row` of `inner` numbers each, for each of `taps` runs that are `tapStride`
    /// floats apart, and `panels` panels `[taps, inner, 16]` at `weights`.
    @inline(__always)
    static func multiply(
        rows: Int,
        row: (_ index: Int) -> Floats,
        taps: Int = 1,
        tapStride: Int = 0,
        inner: Int,
        panels: Int,
        weights: Floats,
        into result: MutableFloats,
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
                weights,
                taps * inner * WeightPanels.width,
                result,
                stride
            )
        }
    }

    /// Adds Σ aᵀ b over `steps` steps to `sums` `[8, 16 · panels]`: a is eight numbers at `left`, and b is eight numbers
    /// at each `group`, two for each panel; the strides are those between steps.
    @inline(__always)
    static func addOuter(
        left: Floats,
        leftStride: Int,
        panels: Int,
        group: (_ index: Int) -> Floats,
        rightStride: Int,
        steps: Int,
        to sums: MutableFloats
    ) {
        let pointers = InlineArray<8, Floats?> { $0 < 2 * panels ? group($0) : nil }
        withPointers(pointers) { dia_wide_outer_product(panels, left, leftStride, $0, rightStride, steps, sums) }
    }

    @inline(__always)
    private static func withPointers(
        _ pointers: InlineArray<8, Floats?>,
        _ body: (UnsafePointer<Floats?>) -> Void
    ) {
        withUnsafePointer(to: pointers) { $0.withMemoryRebound(to: Floats?.self, capacity: 8) { body($0) } }
    }
}
