/// The packed weights of the convolutions that were packed last, in a ring: the next take the place of the oldest.
///
/// Packed weights are up to nine times as large as the weights. A process may hold many models, of which few are
/// busy at a time: those stay packed, while the others wait at their own size.
final class PackedWeights {
    /// Networks of the largest kind whose weights stay packed.
    private static let networks = 4

    private var ring = FloatBuffer(count: 0)
    private var capacity: Int
    /// Floats handed out so far.
    ///
    /// A place is this number when it was handed out, so that it also tells its age.
    private var end = 0
    /// The first place in the ring as it is now.
    private var first = 0

    /// A ring of at least `capacity` floats, taken from the system as they are first used.
    init(capacity: Int) { self.capacity = capacity }

    /// Makes room for several networks with packed weights of `floats`; what is packed may go.
    func reserve(network floats: Int) {
        guard Self.networks * floats > capacity else { return }
        capacity = Self.networks * floats
        ring = FloatBuffer(count: 0)
        // What is packed next starts at the ring's beginning.
        first = (end / capacity + 1) * capacity
        end = first
    }

    /// Whether what was put at `place` is still there.
    func holds(_ place: Int) -> Bool { place >= first && end <= place + capacity }

    /// A place for `count` floats, at most the capacity.
    func next(_ count: Int) -> Int {
        precondition(count <= capacity, "\(count) floats in a ring of \(capacity)")
        if ring.count < capacity { ring = FloatBuffer(count: capacity) }
        let start = end % capacity
        let place = start + count <= capacity ? end : end - start + capacity
        // Whole cache lines.
        end = place + (count + 15) / 16 * 16
        return place
    }

    /// The floats at `place`.
    func pointer(_ place: Int) -> MutableFloats { ring.pointer + place % capacity }
}
