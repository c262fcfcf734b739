/// The algorithm that computes a convolution.
public enum ConvolutionAlgorithm: Sendable, Hashable, CaseIterable {
    /// The direct sum over the kernel's taps.
    case direct
    /// Winograd's F(2x2, 3x3): 2.25 times fewer multiplications, weights 16/9 as large.
    case winograd2
    /// Winograd's F(4x4, 3x3): 4 times fewer multiplications, weights 4 times as large.
    case winograd4
    /// Stride 2 with ``WinogradStrided``: 1.78 times fewer multiplications, weights 9 times as large.
    case winogradStrided

    /// The algorithm for the gradients of a convolution that is computed with this algorithm.
    public var forGradients: ConvolutionAlgorithm { self == .winogradStrided ? .direct : self }

    /// Chooses the algorithm for a convolution of `batch` images.
    ///
    /// The choice with the lowest estimated time. F(4x4) is best with many tiles, which amortize its large weights.
    /// F(2x2) is best with few tiles, and the direct sum with very few tiles or with other kernels and strides.
    /// The choice depends on the shape and the batch but not on the number of threads, because results must not
    /// depend on the number of threads.
    public static func choose(_ shape: ConvolutionShape, batch: Int) -> ConvolutionAlgorithm {
        choose(shape, batch: batch, isWide: WideProduct.isSupported)
    }

    /// Chooses the algorithm for a processor with or without 16-float registers.
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

    /// The throughput per second of two cores of a server.
    private struct Speeds {
        /// The floating-point operations per second that the kernels reach.
        let products: Double
        /// Bytes of weights per second: a third of the memory bandwidth, because weights also evict other data.
        let weights: Double

        static let narrow = Speeds(products: 200e9, weights: 8e9)
        static let wide = Speeds(products: 330e9, weights: 10e9)
    }

    /// Estimates the time in seconds: products, weights and, for Winograd, the transforms.
    ///
    /// The Winograd estimates are for 3x3 kernels with padding 1.
    private func seconds(_ shape: ConvolutionShape, batch: Int, _ speeds: Speeds) -> Double {
        /// The seconds for `matrices` products of `rows` rows with weights `[in, out]`.
        func products(_ matrices: Int, rows: Int) -> Double {
            let weights = Double(matrices * shape.inputChannels * shape.outputChannels)
            return 2 * Double(RowGroups.computed(rows)) * weights / speeds.products + 4 * weights / speeds.weights
        }
        func winograd<Transform: WinogradTransform>(_: Transform.Type) -> Double {
            let (side, frequencies) = (Transform.tile, Transform.frequencies)
            let tiles = batch * ((shape.outputHeight + side - 1) / side) * ((shape.outputWidth + side - 1) / side)
            // With few channels, vectors are partly empty.
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

    /// The floating-point operations of the products of `batch` images; a multiply-add counts as two.
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
