/// Weight standardization: normalizes the weights of each output channel to mean 0 and variance 1.
///
/// ŵ = (w - mean) / sqrt(var + eps), eps 1e-5 (Qiao et al., 2019).
public enum WeightStandardization {
    /// The number of channels in one work item.
    private static let block = 4

    /// Computes ŵ of `weight`; both are `[channels, count]`.
    public static func forward(
        _ weight: Floats,
        channels: Int,
        count: Int,
        into target: MutableFloats,
        _ workers: ThreadPool
    ) {
        workers.run(over: channels, by: block) { range, _ in
            for channel in range {
                let (row, out) = (weight + channel * count, target + channel * count)
                let (mean, inverse) = rowStatistics(row, count: count)
                forEachVector(count) { start, lanes in
                    store((load(row + start, lanes) - mean) * inverse, out + start, lanes)
                }
            }
        }
    }

    /// Adds ∂loss/∂w to `weightGradient` for `gradient` = ∂loss/∂ŵ; all are `[channels, count]`.
    ///
    /// dw = (dŵ - mean(dŵ) - ŵ mean(dŵ ŵ)) / sqrt(var + eps).
    public static func backward(
        _ weight: Floats,
        gradient: Floats,
        channels: Int,
        count: Int,
        weightGradient: MutableFloats,
        _ workers: ThreadPool
    ) {
        workers.run(over: channels, by: block) { range, _ in
            for channel in range {
                let (row, upstream) = (weight + channel * count, gradient + channel * count)
                let (mean, inverse) = rowStatistics(row, count: count)
                var (sums, projections) = (Vector.zero, Vector.zero)
                forEachVector(count) { start, lanes in
                    let up = load(upstream + start, lanes)
                    sums += up
                    projections = fused(up, (load(row + start, lanes) - mean) * inverse, projections)
                }
                let (sum, projection) = (sums.total / Float(count), projections.total / Float(count))
                let out = weightGradient + channel * count
                forEachVector(count) { start, lanes in
                    let normalized = (load(row + start, lanes) - mean) * inverse
                    let slope = (load(upstream + start, lanes) - sum - normalized * projection) * inverse
                    store(load(out + start, lanes) + slope, out + start, lanes)
                }
            }
        }
    }
}
