/// Sums, copies and affine transformations of whole tensors.
public enum Elementwise {
    private static let block = 16_384

    /// Computes y = a + b, or max(0, a + b) with `relu`.
    public static func add(
        _ a: Floats,
        _ b: Floats,
        count: Int,
        relu: Bool,
        output: MutableFloats,
        _ workers: ThreadPool
    ) {
        workers.run(over: count, by: block) { range, _ in
            let base = range.lowerBound
            forEachVector(range.count) { start, lanes in
                var value = load(a + base + start, lanes) + load(b + base + start, lanes)
                if relu { value = larger(value, .zero) }
                store(value, output + base + start, lanes)
            }
        }
    }

    /// Stores or adds `gradient` where `mask` (the output of a ReLU) is positive; everywhere if there is no mask.
    public static func passGradient(
        _ gradient: Floats,
        mask: Floats?,
        count: Int,
        to target: MutableFloats,
        accumulate: Bool,
        _ workers: ThreadPool
    ) {
        workers.run(over: count, by: block) { range, _ in
            let base = range.lowerBound
            forEachVector(range.count) { start, lanes in
                var value = load(gradient + base + start, lanes)
                if let mask {
                    value.replace(with: Vector.zero, where: load(mask + base + start, lanes) .<= Vector.zero)
                }
                if accumulate { value += load(target + base + start, lanes) }
                store(value, target + base + start, lanes)
            }
        }
    }

    /// Computes y = scale · x + shift.
    public static func affine(
        _ input: Floats,
        scale: Float,
        shift: Float,
        count: Int,
        output: MutableFloats,
        _ workers: ThreadPool
    ) {
        workers.run(over: count, by: block) { range, _ in
            for index in range { output[index] = input[index] * scale + shift }
        }
    }

    /// Copies `channels` channels of `rows` rows; adds them instead when `accumulate`.
    ///
    /// The rows are `sourceStride` and `targetStride` floats apart.
    public static func copyChannels(
        _ source: Floats,
        sourceStride: Int,
        to target: MutableFloats,
        targetStride: Int,
        channels: Int,
        rows: Int,
        accumulate: Bool = false,
        _ workers: ThreadPool
    ) {
        workers.run(over: rows, by: max(1, block / channels)) { range, _ in
            for row in range {
                let (from, to) = (source + row * sourceStride, target + row * targetStride)
                if accumulate {
                    for channel in 0..<channels { to[channel] += from[channel] }
                } else {
                    to.update(from: from, count: channels)
                }
            }
        }
    }
}
