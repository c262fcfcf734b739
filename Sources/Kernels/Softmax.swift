/// Softmax of one row.
enum Softmax {
    /// Replaces `row` by `scale` · softmax(row); `count` may be any positive number.
    @inline(__always)
    static func row(_ row: MutableFloats, count: Int, scale: Float = 1) {
        var peak = -Float.infinity
        for index in 0..<count { peak = max(peak, row[index]) }
        var sums = Vector.zero
        forEachVector(count) { start, lanes in
            var e = exp(load(row + start, lanes) - peak)
            if lanes < 8 { for lane in lanes..<8 { e[lane] = 0 } }
            sums += e
            store(e, row + start, lanes)
        }
        let factor = scale / sums.sum()
        forEachVector(count) { start, lanes in store(load(row + start, lanes) * factor, row + start, lanes) }
    }
}
