/// Attention with L2-normalized queries and keys and logits multiplied by 10, as in the reference U-Net.
///
///     out = softmax(10 q̂ k̂ᵀ) v
///
/// Each channel of q and k is normalized over the positions, because the reference calls `normalize` on the
/// last axis, which is the positions.
public struct FullAttention: PlaneKernel {
    /// The geometry.
    public let shape: AttentionShape

    /// Creates full attention of `shape`.
    public init(_ shape: AttentionShape) { self.shape = shape }

    /// Whether the gradient reads the input.
    public static var gradientReadsInput: Bool { true }
    /// Whether the gradient reads the output.
    public static var gradientReadsOutput: Bool { false }

    private var head: Int { shape.positions * shape.headSize }
    private var logitScale: Float { 10 }

    /// Divides each channel of `[positions, headSize]` by its norm and writes the norms to `norms`.
    private func normalize(_ values: MutableFloats, norms: MutableFloats) {
        let size = shape.headSize
        forEachVector(size) { start, _ in
            var squares = Vector.zero
            for position in 0..<shape.positions {
                let value = load(values + position * size + start)
                squares += value * value
            }
            let norm = larger(squares.squareRoot(), Vector(repeating: 1e-12))
            store(norm, norms + start)
            for position in 0..<shape.positions {
                let place = values + position * size + start
                store(load(place) / norm, place)
            }
        }
    }

    /// Computes the gradient of ``normalize(_:norms:)`` in place in `gradient`: dx = (dy - y Σ y dy) / norm.
    private func normalizeBackward(_ normalized: Floats, norms: Floats, gradient: MutableFloats) {
        let size = shape.headSize
        forEachVector(size) { start, _ in
            var dot = Vector.zero
            for position in 0..<shape.positions {
                dot += load(normalized + position * size + start) * load(gradient + position * size + start)
            }
            let norm = load(norms + start)
            for position in 0..<shape.positions {
                let place = gradient + position * size + start
                store((load(place) - load(normalized + position * size + start) * dot) / norm, place)
            }
        }
    }

    /// Computes q̂ and k̂ `[positions, headSize]`, their norms, and the attention weights `[positions, positions]`.
    private func prepare(
        _ input: Floats,
        _ at: (query: Int, key: Int, value: Int),
        _ queries: MutableFloats,
        _ keys: MutableFloats,
        _ norms: MutableFloats,
        _ weights: MutableFloats
    ) {
        let (size, positions) = (shape.headSize, shape.positions)
        shape.copyHead(input + at.query, stride: shape.stride, to: queries)
        shape.copyHead(input + at.key, stride: shape.stride, to: keys)
        normalize(queries, norms: norms)
        normalize(keys, norms: norms + size)
        MatrixProduct.multiply(
            .plain(queries, stride: size),
            .transposed(keys, stride: size),
            rows: positions,
            columns: positions,
            inner: size,
            into: weights,
            stride: positions
        )
        for row in 0..<positions {
            let logits = weights + row * positions
            for column in 0..<positions { logits[column] *= logitScale }
            Softmax.row(logits, count: positions)
        }
    }

    /// Runs the forward pass: `input` is `[batch, positions, 3 width]`, `output` is `[batch, positions, width]`.
    public func forward(batch: Int, input: Floats, output: MutableFloats, _ workers: ThreadPool) {
        let (size, positions) = (shape.headSize, shape.positions)
        workers.reserveScratch(2 * head + 2 * size + positions * positions)
        workers.run(batch * shape.heads) { item, worker in
            let (image, headIndex) = item.quotientAndRemainder(dividingBy: shape.heads)
            let at = shape.offsets(image: image, head: headIndex)
            let queries = workers.scratch(of: worker)
            let (keys, norms) = (queries + head, queries + 2 * head)
            let weights = norms + 2 * size
            prepare(input, at, queries, keys, norms, weights)
            MatrixProduct.multiply(
                .plain(weights, stride: positions),
                .plain(input + at.value, stride: shape.stride),
                rows: positions,
                columns: size,
                inner: positions,
                into: output + shape.outputOffset(image: image, head: headIndex),
                stride: shape.width
            )
        }
    }

    /// Runs the backward pass: `inputGradient` is `[batch, positions, 3 width]`, added to when `accumulate`.
    public func backward(
        batch: Int,
        input: Floats,
        output _: Floats,
        outputGradient: Floats,
        inputGradient: MutableFloats,
        accumulate: Bool,
        _ workers: ThreadPool
    ) {
        let (size, positions) = (shape.headSize, shape.positions)
        workers.reserveScratch(3 * head + 2 * size + 2 * positions * positions)
        workers.run(batch * shape.heads) { item, worker in
            let (image, headIndex) = item.quotientAndRemainder(dividingBy: shape.heads)
            let at = shape.offsets(image: image, head: headIndex)
            let queries = workers.scratch(of: worker)
            let (keys, gradient) = (queries + head, queries + 2 * head)
            let norms = gradient + head
            let weights = norms + 2 * size
            let logitGradient = weights + positions * positions
            prepare(input, at, queries, keys, norms, weights)
            let dy = outputGradient + shape.outputOffset(image: image, head: headIndex)
            // ∂/∂v = weightsᵀ · dy
            MatrixProduct.multiply(
                .transposed(weights, stride: positions),
                .plain(dy, stride: shape.width),
                rows: positions,
                columns: size,
                inner: positions,
                into: gradient,
                stride: size
            )
            shape.writeHead(gradient, to: inputGradient + at.value, stride: shape.stride, accumulate: accumulate)
            // ∂/∂weights = dy · vᵀ, then through the softmax and the scale of the logits
            MatrixProduct.multiply(
                .plain(dy, stride: shape.width),
                .transposed(input + at.value, stride: shape.stride),
                rows: positions,
                columns: positions,
                inner: size,
                into: logitGradient,
                stride: positions
            )
            for row in 0..<positions {
                let (w, g) = (weights + row * positions, logitGradient + row * positions)
                var dots = Vector.zero
                forEachVector(positions) { start, lanes in dots += load(w + start, lanes) * load(g + start, lanes) }
                let dot = dots.total
                forEachVector(positions) { start, lanes in
                    store(load(w + start, lanes) * (load(g + start, lanes) - dot) * logitScale, g + start, lanes)
                }
            }
            // ∂/∂q̂ = ∂/∂logits · k̂
            MatrixProduct.multiply(
                .plain(logitGradient, stride: positions),
                .plain(keys, stride: size),
                rows: positions,
                columns: size,
                inner: positions,
                into: gradient,
                stride: size
            )
            normalizeBackward(queries, norms: norms, gradient: gradient)
            shape.writeHead(gradient, to: inputGradient + at.query, stride: shape.stride, accumulate: accumulate)
            // ∂/∂k̂ = (∂/∂logits)ᵀ · q̂
            MatrixProduct.multiply(
                .transposed(logitGradient, stride: positions),
                .plain(queries, stride: size),
                rows: positions,
                columns: size,
                inner: positions,
                into: gradient,
                stride: size
            )
            normalizeBackward(keys, norms: norms + size, gradient: gradient)
            shape.writeHead(gradient, to: inputGradient + at.key, stride: shape.stride, accumulate: accumulate)
        }
    }
}
