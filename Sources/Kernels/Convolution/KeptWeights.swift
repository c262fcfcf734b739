/// The weights of a convolution, kept between calls either packed or unpacked.
///
/// Weights that packing makes at least 4 times as large are kept unpacked and are packed when they are needed.
/// Very small weights always stay packed because they take little memory, and weights larger than a cache because
/// packing them takes as long as a small batch. Not `Sendable`: an object belongs to one plan and its thread pool.
public final class KeptWeights {
    private enum Form {
        case packed
        /// Taps in the order of ``WinogradConvolution/arrange(_:_:into:)``. `place` is the place of the packed weights,
        /// which may have been overwritten; nil if they have not been packed yet.
        case taps(place: Int?)
    }

    /// The smallest size in floats at which packed weights are not kept: 64 KB.
    private static let leastPacked = 16_000

    private let shape: ConvolutionShape
    private let algorithm: ConvolutionAlgorithm
    private let buffer: FloatBuffer
    private var form: Form

    /// Stores `weight` `[out, in, kernel, kernel]`.
    public init(_ weight: Floats, _ shape: ConvolutionShape, _ algorithm: ConvolutionAlgorithm, _ workers: ThreadPool) {
        (self.shape, self.algorithm) = (shape, algorithm)
        let taps: FloatBuffer? =
            switch algorithm {
            case .direct, .winograd2: nil
            case .winograd4: Self.taps(weight, shape, WinogradF4.self)
            case .winogradStrided: Self.taps(weight, shape, WinogradStrided.self)
            }
        if let taps {
            (buffer, form) = (taps, .taps(place: nil))
            return
        }
        (buffer, form) = (FloatBuffer(count: Convolution.packedCount(shape, algorithm)), .packed)
        Convolution.pack(weight, shape, algorithm, into: buffer.pointer, workers)
    }

    /// The size in floats of the packed weights, in whole cache lines; 0 if they always stay packed.
    public var floatsWhenPacked: Int {
        guard case .taps = form else { return 0 }
        return (Convolution.packedCount(shape, algorithm) + 15) / 16 * 16
    }

    private static func taps<Transform: WinogradTransform>(
        _ weight: Floats,
        _ shape: ConvolutionShape,
        _: Transform.Type
    ) -> FloatBuffer? {
        guard WinogradConvolution<Transform>.isSmall(shape),
            WinogradConvolution<Transform>.packedCount(shape) >= leastPacked
        else { return nil }
        let taps = FloatBuffer(count: WinogradConvolution<Transform>.tapCount(shape))
        WinogradConvolution<Transform>.arrange(weight, shape, into: taps.pointer)
        return taps
    }

    /// Computes y = epilogue(x * w): `input` is `[batch, H, W, in]`, `output` is `[batch, H', W', out]`.
    public func forward(batch: Int, input: Floats, epilogue: Epilogue, output: MutableFloats, _ workers: ThreadPool) {
        Convolution.forward(
            shape,
            algorithm,
            batch: batch,
            input: input,
            packed: packed(workers),
            epilogue: epilogue,
            output: output,
            workers
        )
    }

    /// Returns the packed weights, which are valid until other weights are packed.
    private func packed(_ workers: ThreadPool) -> Floats {
        guard case .taps(let last) = form else { return Floats(buffer.pointer) }
        let packed = workers.packedWeights
        if let last, packed.holds(last) { return Floats(packed.pointer(last)) }
        let place = packed.next(Convolution.packedCount(shape, algorithm))
        let target = packed.pointer(place)
        switch algorithm {
        case .direct, .winograd2: break
        case .winograd4: WinogradConvolution<WinogradF4>.pack(arranged: buffer.pointer, shape, into: target, workers)
        case .winogradStrided:
            WinogradConvolution<WinogradStrided>.pack(arranged: buffer.pointer, shape, into: target, workers)
        }
        form = .taps(place: place)
        return Floats(target)
    }
}
