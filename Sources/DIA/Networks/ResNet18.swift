public import Neural
public import ModelFile

/// The encoder: ResNet-18 with two heads on its pooled features (method, section 3).
///
/// Input: images `[height, width, channels]` in [0, 1]. Outputs: the pooled features `[8 * width]`, the
/// projections of `simclr_layer` `[projection]`, and the shift scores of `shift_cls_layer` `[shifts]`.
public struct ResNet18: Sendable, Hashable {
    /// The first layers of the network.
    public typealias Stem = ModelManifest.Stem

    /// The type of the first layers.
    public var stem: Stem
    /// The number of channels of the first stage, 64 in the paper.
    public var width: Int
    /// The number of channels of the image, 1 or 3.
    public var channels: Int
    /// The number of rows and columns of the image.
    public var height, columns: Int
    /// The length of a projection.
    public var projection: Int
    /// The number of shifts that the encoder classifies.
    public var shifts: Int

    /// Creates an encoder for images of `height` x `columns`.
    public init(
        stem: Stem,
        width: Int,
        channels: Int,
        height: Int,
        columns: Int,
        projection: Int = 128,
        shifts: Int = 4
    ) {
        self.stem = stem
        self.width = width
        self.channels = channels
        self.height = height
        self.columns = columns
        self.projection = projection
        self.shifts = shifts
    }

    /// The length of the pooled features.
    public var features: Int { 8 * width }

    /// The length of the pooled features of each of the four stages.
    public var stageFeatures: [Int] { (0..<4).map { width << $0 } }

    /// Returns the network, with its parameters named as in the state dict of the reference implementation.
    ///
    /// Outputs: the pooled features, the projection, and the shift scores; with `stages` also the pooled features of
    /// the first three stages.
    public func graph(stages: Bool = false) -> Graph {
        var graph = Graph()
        var x = firstLayers(&graph)
        var pooled: [Value] = []
        for stage in 0..<4 {
            x = blocks(&graph, x, stage: stage)
            if stages || stage == 3 { pooled.append(graph.averagePool(x)) }
        }
        let features = pooled.removeLast()
        graph.output(features)
        let hidden = graph.activation(graph.dense(features, "simclr_layer.0", outputs: self.features), .relu)
        graph.output(graph.dense(hidden, "simclr_layer.2", outputs: projection))
        graph.output(graph.dense(features, "shift_cls_layer", outputs: shifts))
        for value in pooled { graph.output(value) }
        return graph
    }

    /// Returns the network without pooling; its outputs are the feature maps `[rows, columns, channels]` of `stages`, at
    /// least one, in ascending order from 1 to 4.
    func mapGraph(stages: [Int]) -> Graph {
        var graph = Graph()
        var x = firstLayers(&graph)
        for stage in 1...stages[stages.count - 1] {
            x = blocks(&graph, x, stage: stage - 1)
            if stages.contains(stage) { graph.output(x) }
        }
        return graph
    }

    private func firstLayers(_ graph: inout Graph) -> Value {
        let image = graph.input(PlaneShape(height: height, width: columns, channels: channels))
        // (x - 0.5) / 0.5
        var x = graph.affine(image, scale: 2, shift: -1)
        switch stem {
        case .cifar:
            x = graph.convolution(x, "conv1", outputs: width, kernel: 3, padding: 1, bias: false)
            x = graph.batchNorm(x, "bn1", relu: true)
        case .imagenet:
            x = graph.convolution(x, "conv1", outputs: width, kernel: 7, stride: 2, padding: 3, bias: false)
            x = graph.maxPool(graph.batchNorm(x, "bn1", relu: true))
        }
        return x
    }

    /// The two blocks of a stage, counted from 0.
    private func blocks(_ graph: inout Graph, _ input: Value, stage: Int) -> Value {
        let name = "layer\(stage + 1)"
        let first = basicBlock(&graph, input, "\(name).0", outputs: width << stage, stride: stage > 0 ? 2 : 1)
        return basicBlock(&graph, first, "\(name).1", outputs: width << stage, stride: 1)
    }

    private func basicBlock(
        _ graph: inout Graph,
        _ input: Value,
        _ name: String,
        outputs: Int,
        stride: Int
    ) -> Value {
        // The shortcut comes first, so that inference can add it in the epilogue of the second convolution.
        var shortcut = input
        if stride != 1 || graph.shape(of: input).channels != outputs {
            let skip = stem == .cifar ? "\(name).shortcut" : "\(name).downsample"
            shortcut = graph.convolution(input, "\(skip).0", outputs: outputs, stride: stride, bias: false)
            shortcut = graph.batchNorm(shortcut, "\(skip).1", relu: false)
        }
        var x = graph.convolution(
            input,
            "\(name).conv1",
            outputs: outputs,
            kernel: 3,
            stride: stride,
            padding: 1,
            bias: false
        )
        x = graph.batchNorm(x, "\(name).bn1", relu: true)
        x = graph.convolution(x, "\(name).conv2", outputs: outputs, kernel: 3, padding: 1, bias: false)
        x = graph.batchNorm(x, "\(name).bn2", relu: false)
        return graph.add(x, shortcut, relu: true)
    }
}
