public import Imaging
public import Neural

/// The trained encoder, ready to turn images into features.
///
/// Not `Sendable`: one owner runs it.
public final class ImageEncoder {
    /// The views an image is scored under.
    public let views: ViewFamily
    private let network: ResNet18
    private let plan: InferencePlan
    private let workers: ThreadPool
    // Kept from call to call, as the input is by the workers, so that scoring allocates nothing of the network's size.
    private var outputs: [[Float]]
    /// Numbers of an image's view in each output.
    private let sizes: [Int]

    /// Prepares `network` with `parameters`; with `stages` the features hold those of each stage too.
    public init(_ network: ResNet18, parameters: Parameters, views: ViewFamily, stages: Bool, workers: ThreadPool) {
        self.network = network
        self.views = views
        self.workers = workers
        sizes =
            [network.features, network.projection, network.shifts] + (stages ? network.stageFeatures.dropLast() : [])
        outputs = Array(repeating: [], count: sizes.count)
        plan = InferencePlan(network.graph(stages: stages), parameters: parameters, workers: workers)
    }

    /// Images whose views fill the network some four times.
    public var preferredBatchSize: Int { (4 * plan.chunk + views.count - 1) / views.count }

    /// The features of each image, which must have the network's size and channels.
    public func features(_ images: [Image]) -> [Features] {
        let batch = images.count * views.count
        var input: [[Float]] = [[]]
        swap(&input[0], &workers.inputs)
        defer { swap(&input[0], &workers.inputs) }
        input[0].removeAll(keepingCapacity: true)
        for image in images {
            precondition(
                (image.height, image.width, image.channels) == (network.height, network.columns, network.channels),
                "an image of another size"
            )
            views.append(of: image, to: &input[0])
        }
        for (index, size) in sizes.enumerated() {
            let missing = batch * size - outputs[index].count
            if missing > 0 { outputs[index] += repeatElement(0, count: missing) }
        }
        plan.run(input, batch: batch, into: &outputs)
        return images.indices.map { index in
            func share(_ output: Int) -> ArraySlice<Float> {
                let size = views.count * sizes[output]
                return outputs[output][index * size..<(index + 1) * size]
            }
            // The last stage's pooled features are the first output.
            let stages = sizes.count > 3 ? [3, 4, 5, 0].map(share) : []
            return Features(
                projections: share(1),
                shiftScores: share(2),
                stages: stages,
                shifts: Shift.count,
                views: views.crops.count
            )
        }
    }
}
