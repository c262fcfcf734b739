/// Allowed errors compared with the reference, relative to the largest magnitude of the tensor.
public enum Tolerance {
    /// Forward passes: single precision through some forty layers, sums in another order, and Winograd's
    /// transforms, which lose about one more digit than direct convolution.
    public static let forward: Float = 1e-4
    /// Gradients: a second pass of the same kind on top of the first.
    public static let gradient: Float = 1e-3
    /// Element-wise formulas with no sums: a few roundings.
    public static let formula: Float = 1e-6
}

/// The largest difference of two arrays over the largest magnitude of `expected`; infinite if their
/// lengths differ or a number is not finite.
public func relativeError(_ actual: [Float], _ expected: [Float]) -> Float {
    guard actual.count == expected.count, actual.allSatisfy(\.isFinite) else { return .infinity }
    let scale = expected.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
    return zip(actual, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
}

/// `[N, C, H, W]` to `[N, H, W, C]`, the engine's layout.
public func channelsLast(_ values: [Float], _ shape: [Int]) -> [Float] {
    let (images, channels, pixels) = (shape[0], shape[1], shape[2] * shape[3])
    var result = values
    for image in 0..<images {
        for channel in 0..<channels {
            for pixel in 0..<pixels {
                result[(image * pixels + pixel) * channels + channel] =
                    values[(image * channels + channel) * pixels + pixel]
            }
        }
    }
    return result
}
