/// The weights of a convolution between its calls: packed, or, where that makes them at least four times as large, at
/// their own size and packed when they are needed.
///
/// The smallest stay packed in any case, for they take little room, and so do those larger than a cache: to pack them
/// takes as long as a small batch. Not `Sendable`: they belong to one plan, whose workers run it.
public final class KeptWeights {
    private enum Form {
        case packed
        /// As ``WinogradConvolution/arrange(_:_:into:)`` puts them in order; packed at `place`, unless that is nil or
        /// others are there by now.
        case taps(place: Int?)
    }

    /// Floats from which on packed weights are worth their repacking: 64 KB.
    private static let leastPacked = 16_000

    private let shape: ConvolutionShape
    private let algorithm: ConvolutionAlgorithm
    private let buffer: FloatBuffer
    private var form: Form

    /// Keeps `weight` `[out, in, kernel, kernel]`.
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

    /// Floats that are taken when the weights are packed, in whole cache lines; none where they always are.
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

    /// y = epilogue(x * w): `input` `[batch, H, W, in]`, `output` `[batch, H', W', out]`.
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

    /// The packed weights, there until others are packed.
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
