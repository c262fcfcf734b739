public import Imaging
public import Neural

/// The trained encoder, prepared to compute the features of images.
///
/// Not `Sendable`: one owner runs it.
public final class ImageEncoder {
    /// The views with which an image is scored.
    public let views: ViewFamily
    private let network: ResNet18
    private let preparation: EncoderInput
    private let plan: InferencePlan
    private let workers: ThreadPool
    // Reused by every call, like the input in the thread pool, so that scoring makes no large allocations.
    private var outputs: [[Float]]
    /// The number of elements per view in each output.
    private let sizes: [Int]

    /// Prepares `network` with `parameters`; with `stages` the features include those of each stage.
    public init(
        _ network: ResNet18,
        parameters: Parameters,
        input: EncoderInput,
        views: ViewFamily,
        stages: Bool,
        workers: ThreadPool
    ) {
        self.network = network
        preparation = input
        self.views = views
        self.workers = workers
        sizes =
            [network.features, network.projection, network.shifts] + (stages ? network.stageFeatures.dropLast() : [])
        outputs = Array(repeating: [], count: sizes.count)
        plan = InferencePlan(network.graph(stages: stages), parameters: parameters, workers: workers)
    }

    /// The number of images at which the views fill about four chunks of the network.
    public var preferredBatchSize: Int { (4 * plan.chunk + views.count - 1) / views.count }

    /// Returns the features of each image; images must have the network's channels and are resized to its size.
    public func features(_ images: [Image]) -> [EncoderFeatures] {
        let batch = images.count * views.count
        var input: [[Float]] = [[]]
        swap(&input[0], &workers.inputs)
        defer { swap(&input[0], &workers.inputs) }
        input[0].removeAll(keepingCapacity: true)
        for image in images {
            precondition(image.channels == network.channels, "wrong number of channels")
            views.append(of: preparation(image), to: &input[0])
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
            // The first output holds the pooled features of the last stage.
            let stages = sizes.count > 3 ? [3, 4, 5, 0].map(share) : []
            return EncoderFeatures(
                projections: share(1),
                shiftScores: share(2),
                stages: stages,
                shifts: Shift.count,
                views: views.crops.count
            )
        }
    }
}
