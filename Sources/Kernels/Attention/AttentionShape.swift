/// The geometry of multi-head attention over the pixels of an image.
///
/// Queries, keys and values come as `[batch, positions, 3 * heads * headSize]`: all heads' queries, then
/// keys, then values.
public struct AttentionShape: Sendable {
    /// Pixels of an image.
    public let positions: Int
    /// Heads, and channels of each, a multiple of sixteen.
    public let heads, headSize: Int

    /// Attention of `heads` heads over `positions` pixels.
    public init(positions: Int, heads: Int, headSize: Int) {
        precondition(positions > 0 && heads > 0 && headSize > 0 && headSize % 16 == 0, "no attention")
        self.positions = positions
        self.heads = heads
        self.headSize = headSize
    }

    /// Channels of the output, heads x headSize.
    public var width: Int { heads * headSize }
    /// Floats between two pixels of the input.
    var stride: Int { 3 * width }

    /// Where one head of one image finds its queries, keys and values in a tensor of the input's shape.
    @inline(__always)
    func offsets(image: Int, head: Int) -> (query: Int, key: Int, value: Int) {
        let base = image * positions * stride + head * headSize
        return (base, base + width, base + 2 * width)
    }

    /// Where one head of one image starts in a tensor of the output's shape.
    @inline(__always)
    func outputOffset(image: Int, head: Int) -> Int { image * positions * width + head * headSize }

    /// Copies a head `[positions, headSize]` out of rows of `stride` floats.
    @inline(__always)
    func copyHead(_ source: Floats, stride: Int, to target: MutableFloats) {
        for position in 0..<positions {
            (target + position * headSize).update(from: source + position * stride, count: headSize)
        }
    }

    /// Stores, or adds, a head `[positions, headSize]` to rows of `stride` floats.
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
