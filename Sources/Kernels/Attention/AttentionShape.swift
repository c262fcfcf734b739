/// The geometry of multi-head attention over the pixels of an image.
///
/// The input is `[batch, positions, 3 * heads * headSize]`: the queries of all heads, then the keys, then
/// the values.
public struct AttentionShape: Sendable {
    /// The number of pixels in an image.
    public let positions: Int
    /// The number of heads, and the number of channels in each head, a multiple of 16.
    public let heads, headSize: Int

    /// Creates the geometry of attention with `heads` heads over `positions` pixels.
    public init(positions: Int, heads: Int, headSize: Int) {
        precondition(positions > 0 && heads > 0 && headSize > 0 && headSize % 16 == 0, "invalid attention shape")
        self.positions = positions
        self.heads = heads
        self.headSize = headSize
    }

    /// The number of output channels, heads * headSize.
    public var width: Int { heads * headSize }
    /// The stride between pixels of the input, in floats.
    var stride: Int { 3 * width }

    /// The offsets of the queries, keys and values of one head of one image in a tensor of the input's shape.
    @inline(__always)
    func offsets(image: Int, head: Int) -> (query: Int, key: Int, value: Int) {
        let base = image * positions * stride + head * headSize
        return (base, base + width, base + 2 * width)
    }

    /// The offset of one head of one image in a tensor of the output's shape.
    @inline(__always)
    func outputOffset(image: Int, head: Int) -> Int { image * positions * width + head * headSize }

    /// Copies one head `[positions, headSize]` from rows that are `stride` floats apart.
    @inline(__always)
    func copyHead(_ source: Floats, stride: Int, to target: MutableFloats) {
        for position in 0..<positions {
            (target + position * headSize).update(from: source + position * stride, count: headSize)
        }
    }

    /// Writes one head `[positions, headSize]` to rows that are `stride` floats apart; adds it when `accumulate`.
    @inline(__always)
    func writeHead(_ source: Floats, to target: MutableFloats, stride: Int, accumulate: Bool) {
        for position in 0..<positions {
            let (from, to) = (source + position * headSize, target + position * stride)
            forEachVector(headSize) { start, lanes in
                var value = load(from + start, lanes)
                if accumulate { value += load(to + start, lanes) }
                store(value, to + start, lanes)
            }
        }
    }
}
