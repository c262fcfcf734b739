/// Computes the mean and 1 / sqrt(var + 1e-5) of `count` numbers, with the biased variance.
@inline(__always)
func rowStatistics(_ row: Floats, count: Int) -> (mean: Float, inverse: Float) {
    var sum = Vector.zero
    forEachVector(count) { start, lanes in sum += load(row + start, lanes) }
    let mean = sum.total / Float(count)
    var squares = Vector.zero
    forEachVector(count) { start, lanes in
        var centered = load(row + start, lanes) - mean
        if lanes < 8 { for lane in lanes..<8 { centered[lane] = 0 } }
        squares = fused(centered, centered, squares)
    }
    return (mean, 1 / (squares.total / Float(count) + 1e-5).squareRoot())
}
