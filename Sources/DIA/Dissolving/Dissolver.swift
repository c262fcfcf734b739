public import Imaging
public import Neural
public import ModelFile

/// The dissolving transformation with a trained U-Net (method, section 2).
///
/// Not `Sendable`: one owner runs it.
public final class Dissolver {
    /// How an image of another size is converted to the U-Net's resolution.
    public typealias Fit = ModelManifest.Fit

    /// The noise schedule.
    public let schedule: NoiseSchedule
    private let network: UNet
    private let fit: Fit
    private let plan: InferencePlan
    // Reused by every call, like those of the encoder.
    private var inputs: [[Float]] = [[], []]
    private var noise: [[Float]] = [[]]

    /// Prepares `network` with `parameters`.
    public init(_ network: UNet, parameters: Parameters, schedule: NoiseSchedule, fit: Fit, workers: ThreadPool) {
        self.network = network
        self.schedule = schedule
        self.fit = fit
        plan = InferencePlan(network.graph(), parameters: parameters, workers: workers)
    }

    /// Returns `image` as the U-Net sees it, which is what its dissolved copies are compared with.
    func resampled(_ image: Image) -> Image { fit.resampled(image, side: network.resolution) }

    /// Dissolves each image at its own step; the results have the size of the images.
    ///
    /// Steps are less than the number of steps of the schedule. With ``Fit/pad`` no image may be larger than the
    /// resolution.
    public func dissolve(_ images: [Image], at steps: [Int]) -> [Image] {
        precondition(images.count == steps.count, "\(images.count) images, \(steps.count) steps")
        let (side, size) = (network.resolution, network.resolution * network.resolution * network.channels)
        for index in inputs.indices { inputs[index].removeAll(keepingCapacity: true) }
        for (image, step) in zip(images, steps) {
            inputs[0] += fit.networkInput(image, side: side)
            inputs[1] += network.timeEmbedding(step)
        }
        let missing = inputs[0].count - noise[0].count
        if missing > 0 { noise[0] += repeatElement(0, count: missing) }
        plan.run(inputs, batch: images.count, into: &noise)
        return zip(images, steps).enumerated().map { index, pair in
            let (image, step) = pair
            let range = index * size..<(index + 1) * size
            let dissolved = schedule.dissolve(inputs[0][range], predictedNoise: noise[0][range], at: step)
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

extension ModelManifest.Dissolve {
    /// Returns `image` as the U-Net sees it; see ``ModelManifest/Fit/resampled(_:side:)``.
    public func resampled(_ image: Image) -> Image { fit.resampled(image, side: resolution) }
}

extension ModelManifest.Fit {
    /// Returns `image` as a U-Net with the resolution `side` sees it: without the detail that resizing removes.
    ///
    /// A dissolved image is compared with this image, so that the difference is what dissolving has removed.
    func resampled(_ image: Image, side: Int) -> Image {
        switch self {
        case .pad: image
        case .resize: image.resized(height: side, width: side).resized(height: image.height, width: image.width)
        }
    }

    /// Converts `image` to the U-Net's input: `side` x `side`, samples in [-1, 1].
    ///
    /// Training and dissolving both use this method, so that their inputs are the same.
    public func networkInput(_ image: Image, side: Int) -> [Float] {
        let fitted =
            switch self {
            case .pad: image.padded(height: side, width: side)
            case .resize: image.resized(height: side, width: side)
            }
        return fitted.samples.map { 2 * $0 - 1 }
    }
}
