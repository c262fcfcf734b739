import Imaging
import Neural

/// The feature maps of the encoder for the views of an image; their averages are the stages of ``EncoderFeatures``.
///
/// Not `Sendable`: one owner runs it.
final class FeatureMaps {
    /// The feature maps of one stage.
    struct Maps {
        /// The size of a map.
        let rows, columns, channels: Int
        /// The maps of all views in the order of the view family, `[views, rows, columns, channels]`.
        var values: [Float]
    }

    let views: ViewFamily
    /// The stages in ascending order.
    let stages: [Int]
    private let preparation: EncoderInput
    private let plan: InferencePlan
    private let shapes: [PlaneShape]

    /// Prepares the layers of `network` up to the last of `stages`, at least one.
    init(
        _ network: ResNet18,
        parameters: Parameters,
        input: EncoderInput,
        views: ViewFamily,
        stages: [Int],
        workers: ThreadPool
    ) {
        preparation = input
        self.views = views
        self.stages = stages
        let graph = network.mapGraph(stages: stages)
        shapes = graph.outputShapes
        plan = InferencePlan(graph, parameters: parameters, workers: workers)
    }

    /// Returns the maps of each stage.
    func callAsFunction(_ image: Image) -> [Int: Maps] {
        var input: [Float] = []
        views.append(of: preparation(image), to: &input)
        var outputs = shapes.map { [Float](repeating: 0, count: views.count * $0.height * $0.width * $0.channels) }
        plan.run([input], batch: views.count, into: &outputs)
        let maps = zip(shapes, outputs).map { shape, values in
            Maps(rows: shape.height, columns: shape.width, channels: shape.channels, values: values)
        }
        return Dictionary(uniqueKeysWithValues: zip(stages, maps))
    }
}
