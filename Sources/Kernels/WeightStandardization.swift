/// Weight standardisation: per output channel, mean 0 and variance 1 over its weights
/// (Qiao et al., 2019), ŵ = (w - mean) / sqrt(var + eps), eps 1e-5.
public enum WeightStandardization {
    private static let epsilon = 1e-5

    private static func statistics(_ row: Floats, _ count: Int) -> (mean: Double, inverse: Double) {
        var sum = 0.0
        for index in 0..<count { sum += Double(row[index]) }
        let mean = sum / Double(count)
        var squares = 0.0
        for index in 0..<count {
            let centred = Double(row[index]) - mean
            squares += centred * centred
        }
        return (mean, 1 / (squares / Double(count) + epsilon).squareRoot())
    }

    /// ŵ of `weight`, both `[channels, count]`.
    public static func forward(_ weight: Floats, channels: Int, count: Int, into target: MutableFloats) {
        for channel in 0..<channels {
            let (row, out) = (weight + channel * count, target + channel * count)
            let (mean, inverse) = statistics(row, count)
            for index in 0..<count { out[index] = Float((Double(row[index]) - mean) * inverse) }
        }
    }

    /// Adds ∂loss/∂w to `weightGradient` for `gradient` = ∂loss/∂ŵ; all `[channels, count]`.
    ///
    /// dw = (dŵ - mean(dŵ) - ŵ mean(dŵ ŵ)) / sqrt(var + eps).
    public static func backward(
        _ weight: Floats,
        gradient: Floats,
        channels: Int,
        count: Int,
        weightGradient: MutableFloats
    ) {
        for channel in 0..<channels {
            let (row, upstream) = (weight + channel * count, gradient + channel * count)
            let (mean, inverse) = statistics(row, count)
            var (sum, projection) = (0.0, 0.0)
            for index in 0..<count {
                let upstream = Double(upstream[index])
                sum += upstream
                projection += upstream * (Double(row[index]) - mean) * inverse
            }
            sum /= Double(count)
            projection /= Double(count)
            let out = weightGradient + channel * count
            for index in 0..<count {
                let normalised = (Double(row[index]) - mean) * inverse
                out[index] += Float((Double(upstream[index]) - sum - normalised * projection) * inverse)
            }
        }
    }
}
