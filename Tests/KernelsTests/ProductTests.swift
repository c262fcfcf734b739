import Kernels
import Testing

/// Compares every product with a plain loop, at sizes that leave every kind of remainder.
@Suite struct ProductTests {
    enum Variant: String, CaseIterable, Sendable {
        /// ``PanelProduct``, with 8-float registers and with 16-float registers.
        case panels, widePanels
        /// A direct convolution with a 1x1 kernel.
        case direct, wideDirect
        /// The weight gradient of a direct convolution with a 1x1 kernel.
        case outer, wideOuter
        /// BLAS with each order of the factors.
        case blas, blasFirstTransposed, blasSecondTransposed, blasBothTransposed

        var isWide: Bool { [.widePanels, .wideOuter, .wideDirect].contains(self) }
    }

    /// The product of matrices `[rows, inner]` and `[inner, columns]`.
    private struct Factors {
        let rows, columns, inner: Int
        let a, b: [Float]

        init(rows: Int, columns: Int, inner: Int) {
            (self.rows, self.columns, self.inner) = (rows, columns, inner)
            a = Self.numbers(rows * inner, seed: 1)
            b = Self.numbers(inner * columns, seed: 2)
        }

        private static func numbers(_ count: Int, seed: Int) -> [Float] {
            (0..<count).map { Float(($0 * 7919 + seed * 104_729) % 1009) / 1009 - 0.5 }
        }

        /// The result of a plain loop that rounds each fused multiply-add, like all products except BLAS.
        var expected: [Float] {
            (0..<rows * columns).map { index in
                let (row, column) = index.quotientAndRemainder(dividingBy: columns)
                return (0..<inner).reduce(0) { $0.addingProduct(a[row * inner + $1], b[$1 * columns + column]) }
            }
        }

        var panels: Int { (columns + 15) / 16 }

        /// The first factor transposed, `[inner, rows]`.
        var aTransposed: [Float] { (0..<inner).flatMap { i in (0..<rows).map { a[$0 * inner + i] } } }
        /// The second factor transposed, `[columns, inner]`.
        var bTransposed: [Float] { (0..<columns).flatMap { c in (0..<inner).map { b[$0 * columns + c] } } }

        /// The second factor with rows of whole panels; the padding is not a number, so that no result may use it.
        var bPadded: [Float] {
            (0..<inner).flatMap { i in (0..<16 * panels).map { $0 < columns ? b[i * columns + $0] : .nan } }
        }

        /// The second factor in panels `[panel, inner, 16]`.
        var bInPanels: [Float] {
            let padded = bPadded
            return (0..<panels).flatMap { panel in
                (0..<inner).flatMap { i in (0..<16).map { padded[(i * panels + panel) * 16 + $0] } }
            }
        }

        /// The columns of a result with rows of whole panels.
        func columns(of result: FloatBuffer) -> [Float] {
            (0..<rows).flatMap { row in (0..<columns).map { result.pointer[row * 16 * panels + $0] } }
        }
    }

    private func panelProduct(_ f: Factors, isWide: Bool) -> [Float] {
        // The products may read three more rows and write one more.
        let rows = FloatBuffer(f.a + Array(repeating: .nan, count: 3 * f.inner))
        let weights = FloatBuffer(f.bInPanels)
        let result = FloatBuffer(count: (f.rows + 1) * 16 * f.panels)
        let product = PanelProduct(
            inner: f.inner,
            columns: f.columns,
            rowStride: f.inner,
            resultStride: 16 * f.panels,
            isWide: isWide
        )
        product.multiply(rows.pointer, count: f.rows, weights: weights.pointer, into: result.pointer)
        return f.columns(of: result)
    }

    /// The weight gradient of a 1x1 convolution: one outer product for each pixel.
    private func outerProduct(_ f: Factors, _ workers: ThreadPool) -> [Float] {
        let width = f.inner % 3 == 0 ? 3 : 1
        let shape = ConvolutionShape(
            inputHeight: f.inner / width,
            inputWidth: width,
            inputChannels: f.rows,
            outputChannels: f.columns,
            kernel: 1,
            stride: 1,
            padding: 0
        )
        let (input, outputGradient) = (FloatBuffer(f.aTransposed), FloatBuffer(f.b))
        let gradient = FloatBuffer(count: f.rows * f.columns)
        let workspace = FloatBuffer(count: Convolution.weightGradientWorkspace(shape, .direct, batch: 1))
        Convolution.weightGradient(
            shape,
            .direct,
            batch: 1,
            input: input.pointer,
            outputGradient: outputGradient.pointer,
            weightGradient: gradient.pointer,
            workspace: workspace.pointer,
            workers
        )
        // The weights are `[out, in]`.
        return (0..<f.rows).flatMap { row in (0..<f.columns).map { gradient.pointer[$0 * f.rows + row] } }
    }

    private func directConvolution(_ f: Factors, _ workers: ThreadPool) -> [Float] {
        let shape = ConvolutionShape(
            inputHeight: f.rows,
            inputWidth: 1,
            inputChannels: f.inner,
            outputChannels: f.columns,
            kernel: 1,
            stride: 1,
            padding: 0
        )
        let (input, weights) = (FloatBuffer(f.a), FloatBuffer(f.bTransposed))
        let packed = FloatBuffer(count: Convolution.packedCount(shape, .direct))
        Convolution.pack(weights.pointer, shape, .direct, into: packed.pointer, workers)
        let output = FloatBuffer(count: f.rows * f.columns)
        Convolution.forward(
            shape,
            .direct,
            batch: 1,
            input: input.pointer,
            packed: packed.pointer,
            epilogue: Epilogue(),
            output: output.pointer,
            workers
        )
        return output.array
    }

    private func blas(_ f: Factors, transposed: (a: Bool, b: Bool)) -> [Float] {
        let a = FloatBuffer(transposed.a ? f.aTransposed : f.a)
        let b = FloatBuffer(transposed.b ? f.bTransposed : f.b)
        let result = FloatBuffer(count: f.rows * f.columns)
        MatrixProduct.multiply(
            transposed.a ? .transposed(a.pointer, stride: f.rows) : .plain(a.pointer, stride: f.inner),
            transposed.b ? .transposed(b.pointer, stride: f.inner) : .plain(b.pointer, stride: f.columns),
            rows: f.rows,
            columns: f.columns,
            inner: f.inner,
            into: result.pointer,
            stride: f.columns
        )
        return result.array
    }

    /// The error of a BLAS product of at most 33 terms, each at most 1/4, that are added in another order.
    static let tolerance: Float = 2e-6

    @Test(
        "Every product equals a plain loop, bit for bit except for BLAS",
        arguments: Variant.allCases,
        [1, 6, 33]
    )
    func products(_ variant: Variant, inner: Int) {
        let workers = ThreadPool(count: 1, isWide: variant.isWide)
        for rows in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 26, 99] {
            for columns in [1, 8, 9, 16, 17, 40, 48, 55, 64, 71, 112] {
                let factors = Factors(rows: rows, columns: columns, inner: inner)
                let expected = factors.expected
                let actual =
                    switch variant {
                    case .panels, .widePanels: panelProduct(factors, isWide: workers.isWide)
                    case .outer, .wideOuter: outerProduct(factors, workers)
                    case .direct, .wideDirect: directConvolution(factors, workers)
                    case .blas: blas(factors, transposed: (false, false))
                    case .blasFirstTransposed: blas(factors, transposed: (true, false))
                    case .blasSecondTransposed: blas(factors, transposed: (false, true))
                    case .blasBothTransposed: blas(factors, transposed: (true, true))
                    }
                let error = zip(actual, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
                let isEqual = variant.rawValue.hasPrefix("blas") ? error < Self.tolerance : actual == expected
                #expect(isEqual, "\(rows) x \(inner) x \(columns): error \(error)")
            }
        }
    }
}
