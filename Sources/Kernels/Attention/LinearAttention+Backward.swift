/// The gradient of linear attention.
extension LinearAttention {
    /// Computes the softmax of the queries (scaled) and of the keys `[positions, headSize]`, and
    /// context = keysᵀ · v / positions `[headSize, headSize]`.
    private func prepare(
        _ input: Floats,
        _ at: (query: Int, key: Int, value: Int),
        _ queries: MutableFloats,
        _ keys: MutableFloats,
        _ context: MutableFloats
    ) {
        let size = shape.headSize
        shape.copyHead(input + at.query, stride: shape.stride, to: queries)
        for position in 0..<shape.positions { Softmax.row(queries + position * size, count: size, scale: scale) }
        shape.copyHead(input + at.key, stride: shape.stride, to: keys)
        forEachVector(size) { start, _ in
            var peak = Vector(repeating: -.infinity)
            for position in 0..<shape.positions { peak = larger(peak, load(keys + position * size + start)) }
            var sum = Vector.zero
            for position in 0..<shape.positions {
                let e = exp(load(keys + position * size + start) - peak)
                sum += e
                store(e, keys + position * size + start)
            }
            let inverse = 1 / sum
            for position in 0..<shape.positions {
                let place = keys + position * size + start
                store(load(place) * inverse, place)
            }
        }
        MatrixProduct.multiply(
            .transposed(keys, stride: size),
            .plain(input + at.value, stride: shape.stride),
            rows: size,
            columns: size,
            inner: shape.positions,
            into: context,
            stride: size
        )
        for index in 0..<square { context[index] /= Float(shape.positions) }
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
        workers.reserveScratch(3 * head + 2 * square)
        workers.run(batch * shape.heads) { item, worker in
            let (image, headIndex) = item.quotientAndRemainder(dividingBy: shape.heads)
            let at = shape.offsets(image: image, head: headIndex)
            let queries = workers.scratch(of: worker)
            let (keys, gradient) = (queries + head, queries + 2 * head)
            let context = gradient + head
            let contextGradient = context + square
            prepare(input, at, queries, keys, context)
            let dy = outputGradient + shape.outputOffset(image: image, head: headIndex)
            // ∂/∂context = queriesᵀ · dy
            MatrixProduct.multiply(
                .transposed(queries, stride: size),
                .plain(dy, stride: shape.width),
                rows: size,
                columns: size,
                inner: positions,
                into: contextGradient,
                stride: size
            )
            // ∂/∂queries = dy · contextᵀ, then through the softmax over channels
            MatrixProduct.multiply(
                .plain(dy, stride: shape.width),
                .transposed(context, stride: size),
                rows: positions,
                columns: size,
                inner: size,
                into: gradient,
                stride: size
            )
            for position in 0..<positions {
                let (q, g) = (queries + position * size, gradient + position * size)
                // q is scale · softmax, so Σ softmax · scale · g = Σ q g.
                var dot = Vector.zero
                forEachVector(size) { start, _ in dot += load(q + start) * load(g + start) }
                let sum = dot.total / scale
                forEachVector(size) { start, _ in store(load(q + start) * (load(g + start) - sum), g + start) }
            }
            shape.writeHead(gradient, to: inputGradient + at.query, stride: shape.stride, accumulate: accumulate)
            for index in 0..<square { contextGradient[index] /= Float(positions) }
            // ∂/∂keys = v · (∂/∂context)ᵀ / positions, then through the softmax over positions
            MatrixProduct.multiply(
                .plain(input + at.value, stride: shape.stride),
                .transposed(contextGradient, stride: size),
                rows: positions,
                columns: size,
                inner: size,
                into: gradient,
                stride: size
            )
            forEachVector(size) { start, _ in
                var dot = Vector.zero
                for position in 0..<positions {
                    dot += load(keys + position * size + start) * load(gradient + position * size + start)
                }
                for position in 0..<positions {
                    let place = gradient + position * size + start
                    store(load(keys + position * size + start) * (load(place) - dot), place)
                }
            }
            shape.writeHead(gradient, to: inputGradient + at.key, stride: shape.stride, accumulate: accumulate)
            // ∂/∂v = keys · ∂/∂context / positions
            MatrixProduct.multiply(
                .plain(keys, stride: size),
                .plain(contextGradient, stride: size),
                rows: positions,
                columns: size,
                inner: size,
                into: gradient,
                stride: size
            )
            shape.writeHead(gradient, to: inputGradient + at.value, stride: shape.stride, accumulate: accumulate)
        }
    }
}
