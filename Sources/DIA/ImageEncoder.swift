public import Imaging
public import Kernels
public import Neural

/// The trained encoder, ready to turn images into features.
///
/// Not `Sendable`: one owner runs it.
public final class ImageEncoder {
    /// The views an image is scored under.
    public let views: ViewFamily
    private let network: ResNet18
    private let plan: InferencePlan

    /// Prepares `network` with `parameters`; `maximumBatch` views go through it at once.
    public init(
        _ network: ResNet18,
        parameters: Parameters,
        views: ViewFamily,
        maximumBatch: Int = 160,
        workers: Workers
    ) {
        self.network = network
        self.views = views
        plan = InferencePlan(network.graph(), parameters: parameters, maximumBatch: maximumBatch, workers: workers)
    }

    /// The features of each image, which must have the network's size and channels.
    public func features(_ images: [Image]) -> [Features] {
        var projections: [Float] = []
        var shiftScores: [Float] = []
        var pending: [Float] = []
        var count = 0
        func flush() {
            guard count > 0 else { return }
            let outputs = plan.run([pending], batch: count)
            projections += outputs[1]
            shiftScores += outputs[2]
            pending.removeAll(keepingCapacity: true)
            count = 0
        }
        for image in images {
            precondition(
                (image.height, image.width, image.channels) == (network.height, network.columns, network.channels),
                "an image of another size"
            )
            for view in views(image) {
                pending += view.samples
                count += 1
                if count == plan.maximumBatch { flush() }
            }
        }
        flush()
        return images.indices.map { index in
            func share(_ values: [Float], _ size: Int) -> ArraySlice<Float> {
                values[index * views.count * size..<(index + 1) * views.count * size]
            }
            return Features(
                projections: share(projections, network.projection),
                shiftScores: share(shiftScores, network.shifts),
                shifts: Shift.count,
                views: views.crops.count
            )
        }
    }
}
