/// How a convolution is computed.
public enum ConvolutionAlgorithm: Sendable, Hashable, CaseIterable {
    /// The sum over the kernel's taps as it stands.
    case direct
    /// Winograd's F(2x2, 3x3): 2.25 times fewer products, weights 16/9 as large.
    case winograd2
    /// Winograd's F(4x4, 3x3): four times fewer products, weights four times as large.
    case winograd4

    /// The planner: the one place that chooses how a convolution is computed, for `batch` images.
    ///
    /// The least of an estimate. Many tiles make F(4x4) pay for its large weights; few leave it to F(2x2);
    /// with hardly any, or other kernels and strides, the direct sum is best. It knows the shape and the
    /// batch, not the number of threads, on which results must not depend.
    public static func choose(_ shape: ConvolutionShape, batch: Int) -> ConvolutionAlgorithm {
        guard shape.kernel == 3, shape.stride == 1, shape.padding == 1 else { return .direct }
        return allCases.min { $0.seconds(shape, batch: batch) < $1.seconds(shape, batch: batch) } ?? .direct
    }

    /// An estimate of the seconds on two cores of a server: products at what the kernels reach, weights once
    /// through the memory (at half its speed, for they take room as well as time), and for Winograd each
    /// number of the domain transformed.
    ///
    /// For 3x3, stride 1, padding 1.
    private func seconds(_ shape: ConvolutionShape, batch: Int) -> Double {
        /// Seconds for `matrices` products of `rows` rows with weights in x out.
        func products(_ matrices: Int, rows: Int) -> Double {
            let weights = Double(matrices * shape.inputChannels * shape.outputChannels)
            return 2 * Double(RowGroups.computed(rows)) * weights / 200e9 + 4 * weights / 12e9
        }
        func winograd(side: Int) -> Double {
            let tiles = batch * ((shape.outputHeight + side - 1) / side) * ((shape.outputWidth + side - 1) / side)
            let frequencies = (side + 2) * (side + 2)
            // Few channels leave vectors half empty.
            let channels = (shape.inputChannels + 7) / 8 * 8 + (shape.outputChannels + 7) / 8 * 8
            return products(frequencies, rows: tiles) + 6e-11 * Double(tiles * frequencies * channels)
        }
        return switch self {
        case .direct: products(9, rows: batch * shape.outputPixels)
        case .winograd2: winograd(side: WinogradF2.tile)
        case .winograd4: winograd(side: WinogradF4.tile)
        }
    }
}
