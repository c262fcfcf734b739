import Glibc

/// The arithmetic of one optimizer step on a contiguous range of parameters.
public enum OptimizerSteps {
    /// Runs one bias-corrected step of Adam (Kingma and Ba, 2015).
    ///
    /// With decoupled weight decay this is AdamW (Loshchilov and Hutter, 2019): p -= rate decay p, then
    /// p -= rate m̂ / (sqrt(v̂) + epsilon).
    public static func adam(
        _ parameters: MutableFloats,
        gradient: Floats,
        first: MutableFloats,
        second: MutableFloats,
        count: Int,
        rate: Float,
        betas: (Float, Float),
        epsilon: Float,
        decay: Float,
        step: Int
    ) {
        let correctionOne = 1 - Float(pow(Double(betas.0), Double(step)))
        let correctionTwo = Float((1 - pow(Double(betas.1), Double(step))).squareRoot())
        for index in 0..<count {
            let g = gradient[index]
            let m = betas.0 * first[index] + (1 - betas.0) * g
            let v = betas.1 * second[index] + (1 - betas.1) * g * g
            first[index] = m
            second[index] = v
            let kept = parameters[index] * (1 - rate * decay)
            parameters[index] = kept - rate / correctionOne * m / (v.squareRoot() / correctionTwo + epsilon)
        }
    }

    /// Runs one step of gradient descent with momentum: b = momentum b + scale (g + decay p), p -= rate b.
    public static func momentum(
        _ parameters: MutableFloats,
        gradient: Floats,
        buffer: MutableFloats,
        count: Int,
        rate: Float,
        momentum: Float,
        decay: Float,
        scale: Float
    ) {
        for index in 0..<count {
            let g = scale * (gradient[index] + decay * parameters[index])
            let b = momentum * buffer[index] + g
            buffer[index] = b
            parameters[index] -= rate * b
        }
    }

    /// The Euclidean norm, summed in double precision.
    public static func norm(_ values: Floats, count: Int) -> Float {
        var squares = 0.0
        for index in 0..<count { squares += Double(values[index]) * Double(values[index]) }
        return Float(squares.squareRoot())
    }

    /// Updates a moving average: average += (1 - decay) (values - average).
    public static func movingAverage(_ average: MutableFloats, towards values: Floats, count: Int, decay: Float) {
        for index in 0..<count { average[index] += (1 - decay) * (values[index] - average[index]) }
    }
}
