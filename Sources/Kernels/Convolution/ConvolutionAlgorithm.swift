/// How a convolution is computed.
public enum ConvolutionAlgorithm: Sendable, Hashable, CaseIterable {
    /// The sum over the kernel's taps as it stands.
    case direct
    /// Winograd's F(2x2, 3x3): 2.25 times fewer products, weights 16/9 as large.
    case winograd2
    /// Winograd's F(4x4, 3x3): four times fewer products, weights four times as large.
    case winograd4
    /// Stride 2 by ``WinogradStrided``: 1.78 times fewer products, weights nine times as large.
    case winogradStrided

    /// How the gradients of a convolution so computed are.
    public var forGradients: ConvolutionAlgorithm { self == .winogradStrided ? .direct : self }

    /// The planner: the one place that chooses how a convolution is computed, for `batch` images.
    ///
    /// The least of an estimate. Many tiles make F(4x4) pay for its large weights; few leave it to F(2x2);
    /// with hardly any, or other kernels and strides, the direct sum is best. It knows the shape and the
    /// batch, not the number of threads, on which results must not depend.
    public static func choose(_ shape: ConvolutionShape, batch: Int) -> ConvolutionAlgorithm {
        choose(shape, batch: batch, isWide: WideProduct.isSupported)
    }

    /// The same for a processor with or without registers of sixteen floats.
    package static func choose(_ shape: ConvolutionShape, batch: Int, isWide: Bool) -> ConvolutionAlgorithm {
        let possible: [ConvolutionAlgorithm] =
            switch (shape.kernel, shape.stride, shape.padding) {
            case (3, 1, 1): [.direct, .winograd2, .winograd4]
            case (3, 2, 1): [.direct, .winogradStrided]
            default: [.direct]
            }
        let speeds = isWide ? Speeds.wide : .narrow
        return possible.min { $0.seconds(shape, batch: batch, speeds) < $1.seconds(shape, batch: batch, speeds) }
            ?? .direct
    }

    /// What two cores of a server do in a second.
    private struct Speeds {
        /// Floating-point operations, as the kernels reach them.
        let products: Double
        /// Bytes of weights, once through the memory: a third of its speed, for they take room as well as time.
        let weights: Double

        static let narrow = Speeds(products: 200e9, weights: 8e9)
        static let wide = Speeds(products: 330e9, weights: 10e9)
    }

    /// An estimate of the seconds: products, weights, and for Winograd each number of the domain transformed.
    ///
    /// For 3x3 with padding 1.
    private func seconds(_ shape: ConvolutionShape, batch: Int, _ speeds: Speeds) -> Double {
        /// Seconds for `matrices` products of `rows` rows with weights in x out.
        func products(_ matrices: Int, rows: Int) -> Double {
            let weights = Double(matrices * shape.inputChannels * shape.outputChannels)
            return 2 * Double(RowGroups.computed(rows)) * weights / speeds.products + 4 * weights / speeds.weights
        }
        func winograd<Transform: WinogradTransform>(_: Transform.Type) -> Double {
            let (side, frequencies) = (Transform.tile, Transform.frequencies)
            let tiles = batch * ((shape.outputHeight + side - 1) / side) * ((shape.outputWidth + side - 1) / side)
            // Few channels leave vectors half empty.
            let channels = (shape.inputChannels + 7) / 8 * 8 + (shape.outputChannels + 7) / 8 * 8
            return products(frequencies, rows: tiles) + 6e-11 * Double(tiles * frequencies * channels)
        }
        return switch self {
        case .direct: products(9, rows: batch * shape.outputPixels)
        case .winograd2: winograd(WinogradF2.self)
        case .winograd4: winograd(WinogradF4.self)
        case .winogradStrided: winograd(WinogradStrided.self)
        }
    }

    /// The floating-point operations, two a multiply-add, of the products of `batch` images.
    public func operations(_ shape: ConvolutionShape, batch: Int) -> Double {
        func winograd<Transform: WinogradTransform>(_: Transform.Type) -> Double {
            let side = Transform.tile
            let tiles = ((shape.outputHeight + side - 1) / side) * ((shape.outputWidth + side - 1) / side)
            return Double(tiles * Transform.frequencies)
        }
        let products =
            switch self {
            case .direct: Double(shape.kernel * shape.kernel * shape.outputPixels)
            case .winograd2: winograd(WinogradF2.self)
            case .winograd4: winograd(WinogradF4.self)
            case .winogradStrided: winograd(WinogradStrided.self)
            }
        return 2 * Double(batch * shape.inputChannels * shape.outputChannels) * products
    }
}
