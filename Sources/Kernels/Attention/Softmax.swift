/// The softmax of one row.
enum Softmax {
    /// Replaces `row` with `scale` · softmax(row); `count` can be any positive number.
    @inline(__always)
    static func row(_ row: MutableFloats, count: Int, scale: Float = 1) {
        var peaks = Vector(repeating: -.infinity)
        for start in stride(from: 0, to: count & ~7, by: 8) { peaks = larger(peaks, load(row + start)) }
        var peak = peaks.largest
        for index in count & ~7..<count where row[index] > peak { peak = row[index] }
        var sums = Vector.zero
        forEachVector(count) { start, lanes in
            var e = exp(load(row + start, lanes) - peak)
            if lanes < 8 { for lane in lanes..<8 { e[lane] = 0 } }
            sums += e
            store(e, row + start, lanes)
        }
        let factor = scale / sums.total
        forEachVector(count) { start, lanes in store(load(row + start, lanes) * factor, row + start, lanes) }
    }
}
