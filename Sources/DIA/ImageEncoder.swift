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
    // Kept from call to call, so that scoring allocates nothing of the network's size.
    private var input: [[Float]] = [[]]
    private var outputs: [[Float]] = [[], [], []]

    /// Prepares `network` with `parameters`.
    public init(_ network: ResNet18, parameters: Parameters, views: ViewFamily, workers: Workers) {
        self.network = network
        self.views = views
        plan = InferencePlan(network.graph(), parameters: parameters, workers: workers)
    }

    /// Images whose views fill the network some four times.
    public var imagesAtOnce: Int { (4 * plan.chunk + views.count - 1) / views.count }

    /// The features of each image, which must have the network's size and channels.
    public func features(_ images: [Image]) -> [Features] {
        let batch = images.count * views.count
        input[0].removeAll(keepingCapacity: true)
        for image in images {
            precondition(
                (image.height, image.width, image.channels) == (network.height, network.columns, network.channels),
                "an image of another size"
            )
            views.append(of: image, to: &input[0])
        }
        for (index, size) in [network.features, network.projection, network.shifts].enumerated() {
            let missing = batch * size - outputs[index].count
            if missing > 0 { outputs[index] += repeatElement(0, count: missing) }
        }
        plan.run(input, batch: batch, into: &outputs)
        return images.indices.map { index in
            func share(_ values: [Float], _ size: Int) -> ArraySlice<Float> {
                values[index * views.count * size..<(index + 1) * views.count * size]
            }
            return Features(
                projections: share(outputs[1], network.projection),
                shiftScores: share(outputs[2], network.shifts),
                shifts: Shift.count,
                views: views.crops.count
            )
        }
    }
}
