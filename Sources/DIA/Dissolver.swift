public import Imaging
public import Kernels
public import Neural

/// The dissolving transformation with a trained U-Net (method, section 2).
///
/// Not `Sendable`: one owner runs it.
public final class Dissolver {
    /// How an image of another size is brought to the U-Net's resolution.
    public enum Fit: String, Sendable, Hashable, Codable {
        /// In the middle of black, and cut out again.
        case pad
        /// Resized, and resized back.
        case resize

        /// `image` as the U-Net sees it: `side` x `side`, samples in [-1, 1].
        ///
        /// Training and dissolving both go through here, so that they see the same.
        public func networkInput(_ image: Image, side: Int) -> [Float] {
            let fitted =
                switch self {
                case .pad: image.padded(height: side, width: side)
                case .resize: image.resized(height: side, width: side)
                }
            return fitted.samples.map { 2 * $0 - 1 }
        }
    }

    /// The noise schedule.
    public let schedule: NoiseSchedule
    private let network: UNet
    private let fit: Fit
    private let plan: InferencePlan

    /// Prepares `network` with `parameters`; `maximumBatch` images go through it at once.
    public init(
        _ network: UNet,
        parameters: Parameters,
        schedule: NoiseSchedule,
        fit: Fit,
        maximumBatch: Int = 32,
        workers: Workers
    ) {
        self.network = network
        self.schedule = schedule
        self.fit = fit
        plan = InferencePlan(network.graph(), parameters: parameters, maximumBatch: maximumBatch, workers: workers)
    }

    /// Each image dissolved at its own step, in its own size.
    ///
    /// Steps are below the schedule's number; with ``Fit/pad`` no image is larger than the resolution.
    public func dissolve(_ images: [Image], at steps: [Int]) -> [Image] {
        precondition(images.count == steps.count, "\(images.count) images, \(steps.count) steps")
        var result: [Image] = []
        var start = 0
        while start < images.count {
            let end = min(images.count, start + plan.maximumBatch)
            result += batch(images[start..<end], steps[start..<end])
            start = end
        }
        return result
    }

    private func batch(_ images: ArraySlice<Image>, _ steps: ArraySlice<Int>) -> [Image] {
        let side = network.resolution
        let scaled = images.map { fit.networkInput($0, side: side) }
        let noise = plan.run([scaled.flatMap { $0 }, steps.flatMap { network.timeEmbedding($0) }], batch: images.count)
        let size = side * side * network.channels
        return zip(images, steps).enumerated().map { index, pair in
            let (image, step) = pair
            let predicted = Array(noise[0][index * size..<(index + 1) * size])
            let dissolved = schedule.dissolve(scaled[index], predictedNoise: predicted, at: step)
            let whole = Image(
                height: side,
                width: side,
                channels: network.channels,
                samples: dissolved.map { ($0 + 1) / 2 }
            )
            return fit == .pad
                ? whole.cropped(height: image.height, width: image.width)
                : whole.resized(height: image.height, width: image.width)
        }
    }
}
