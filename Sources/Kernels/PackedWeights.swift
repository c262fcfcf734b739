/// The packed weights of the convolutions that were packed last, in a ring: the next take the place of the oldest.
///
/// Packed weights are up to nine times as large as the weights. A process may hold many models, of which few are
/// busy at a time: those stay packed, while the others wait at their own size.
final class PackedWeights {
    /// 32 MB: the weights of four or more networks of the size that such weights have.
    static let usualCapacity = 8_000_000

    private let capacity: Int
    private lazy var ring = FloatBuffer(count: capacity)
    /// Floats handed out so far. A place is this number when it was handed out, so that it also tells its age.
    private var end = 0

    /// A ring of `capacity` floats, taken from the system as they are first used.
    init(capacity: Int = usualCapacity) { self.capacity = capacity }

    /// Whether what was put at `place` is still there.
    func holds(_ place: Int) -> Bool { end <= place + capacity }

    /// A place for `count` floats, at most the capacity.
    func next(_ count: Int) -> Int {
        precondition(count <= capacity, "\(count) floats in a ring of \(capacity)")
        let start = end % capacity
        let place = start + count <= capacity ? end : end - start + capacity
        // Whole cache lines.
        end = place + (count + 15) / 16 * 16
        return place
    }

    /// The floats at `place`.
    func pointer(_ place: Int) -> MutableFloats { ring.pointer + place % capacity }
}
