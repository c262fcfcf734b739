import Glibc
public import Neural

/// The noise predictor eps(x, t): the U-Net of denoising-diffusion-pytorch 0.27 (method, section 1).
///
/// Inputs: the noisy image `[resolution, resolution, channels]` in [-1, 1], and the sinusoidal time embedding
/// `[dim]` of ``timeEmbedding(_:)``. Output: the predicted noise, with the shape of the image.
public struct UNet: Sendable, Hashable {
    /// The number of channels of the first level, a multiple of 8.
    public var dim: Int
    /// The number of channels of each level as a multiple of `dim`.
    public var multipliers: [Int]
    /// The number of channels of the image, 1 or 3.
    public var channels: Int
    /// The side of the image, divisible by 2 for each level except the last.
    public var resolution: Int

    /// Creates a U-Net.
    public init(dim: Int, multipliers: [Int], channels: Int, resolution: Int) {
        self.dim = dim
        self.multipliers = multipliers
        self.channels = channels
        self.resolution = resolution
    }

    private static let heads = 4
    private static let headSize = 32
    private static let groups = 8

    /// The sinusoidal embedding of step `t`: sines, then cosines, with frequencies exp(-i ln 10000 / (dim/2 - 1)).
    public func timeEmbedding(_ t: Int) -> [Float] {
        let half = dim / 2
        let angles = (0..<half).map { index in
            // The reference implementation computes the angle in single precision.
            Float(t) * exp(Float(index) * -(log(Float(10_000)) / Float(half - 1)))
        }
        return angles.map { sin($0) } + angles.map { cos($0) }
    }

    /// Returns the network, with its parameters named as in the state dict of the reference implementation.
    public func graph() -> Graph {
        var graph = Graph()
        let image = graph.input(PlaneShape(height: resolution, width: resolution, channels: channels))
        let embedding = graph.input(PlaneShape(vector: dim))
        let stem = graph.convolution(image, "init_conv", outputs: dim, kernel: 7, padding: 3)
        let hidden = graph.activation(graph.dense(embedding, "time_mlp.1", outputs: 4 * dim), .gelu)
        // Every block applies SiLU to the time embedding first; computing it once is enough.
        let time = graph.activation(graph.dense(hidden, "time_mlp.3", outputs: 4 * dim), .silu)

        let widths = [dim] + multipliers.map { dim * $0 }
        let levels = multipliers.count
        var x = stem
        var skips: [Value] = []
        for level in 0..<levels {
            let name = "downs.\(level)"
            x = residualBlock(&graph, x, "\(name).0", outputs: widths[level], time: time)
            skips.append(x)
            x = residualBlock(&graph, x, "\(name).1", outputs: widths[level], time: time)
            x = linearAttention(&graph, x, "\(name).2")
            skips.append(x)
            x =
                level < levels - 1
                ? graph.convolution(x, "\(name).3", outputs: widths[level + 1], kernel: 4, stride: 2, padding: 1)
                : graph.convolution(x, "\(name).3", outputs: widths[level + 1], kernel: 3, padding: 1)
        }
        x = residualBlock(&graph, x, "mid_block1", outputs: widths[levels], time: time)
        x = fullAttention(&graph, x, "mid_attn")
        x = residualBlock(&graph, x, "mid_block2", outputs: widths[levels], time: time)
        for up in 0..<levels {
            let level = levels - 1 - up
            let name = "ups.\(up)"
            for block in 0..<2 {
                x = graph.concatenate(x, skips.removeLast())
                x = residualBlock(&graph, x, "\(name).\(block)", outputs: widths[level + 1], time: time)
            }
            x = linearAttention(&graph, x, "\(name).2")
            let isLast = up == levels - 1
            x = graph.convolution(
                isLast ? x : graph.upsample(x),
                isLast ? "\(name).3" : "\(name).3.1",
                outputs: widths[level],
                kernel: 3,
                padding: 1
            )
        }
        x = residualBlock(&graph, graph.concatenate(x, stem), "final_res_block", outputs: dim, time: time)
        graph.output(graph.convolution(x, "final_conv", outputs: channels))
        return graph
    }

    /// Appends two blocks of weight-standardized convolution, group norm and SiLU, and a skip connection.
    ///
    /// The first block is modulated by the time embedding. The skip connection is a 1x1 convolution if the number of
    /// channels changes.
    private func residualBlock(
        _ graph: inout Graph,
        _ input: Value,
        _ name: String,
        outputs: Int,
        time: Value
    ) -> Value {
        func standardized(_ x: Value, _ block: String) -> Value {
            graph.convolution(x, "\(block).proj", outputs: outputs, kernel: 3, padding: 1, isStandardized: true)
        }
        let modulation = graph.dense(time, "\(name).mlp.1", outputs: 2 * outputs)
        var x = standardized(input, "\(name).block1")
        x = graph.groupNorm(x, "\(name).block1.norm", groups: Self.groups, modulation: modulation)
        x = standardized(x, "\(name).block2")
        x = graph.groupNorm(x, "\(name).block2.norm", groups: Self.groups)
        guard graph.shape(of: input).channels != outputs else { return graph.add(x, input) }
        return graph.add(x, graph.convolution(input, "\(name).res_conv", outputs: outputs))
    }

    /// Appends x + LayerNorm(conv(attention(LayerNorm(x)))).
    private func linearAttention(_ graph: inout Graph, _ input: Value, _ name: String) -> Value {
        var x = graph.channelLayerNorm(input, "\(name).fn.norm")
        x = graph.convolution(x, "\(name).fn.fn.to_qkv", outputs: 3 * Self.heads * Self.headSize, bias: false)
        x = graph.linearAttention(x, heads: Self.heads)
        x = graph.convolution(x, "\(name).fn.fn.to_out.0", outputs: graph.shape(of: input).channels)
        return graph.add(graph.channelLayerNorm(x, "\(name).fn.fn.to_out.1"), input)
    }

    /// Appends x + conv(attention(LayerNorm(x))).
    private func fullAttention(_ graph: inout Graph, _ input: Value, _ name: String) -> Value {
        var x = graph.channelLayerNorm(input, "\(name).fn.norm")
        x = graph.convolution(x, "\(name).fn.fn.to_qkv", outputs: 3 * Self.heads * Self.headSize, bias: false)
        x = graph.fullAttention(x, heads: Self.heads)
        return graph.add(graph.convolution(x, "\(name).fn.fn.to_out", outputs: graph.shape(of: input).channels), input)
    }
}
