/// A ring buffer with the most recently packed weights; new weights overwrite the oldest.
///
/// Packed weights are up to 9 times as large as the weights. A process may hold many models but use only a few at
/// a time: their weights stay packed, and the weights of the others are kept unpacked.
final class PackedWeights {
    /// The number of networks of the largest size whose weights stay packed.
    private static let networks = 4

    private var ring = FloatBuffer(count: 0)
    private var capacity: Int
    /// The number of floats allocated so far.
    ///
    /// A place is the value of this counter at the time of the allocation, so it also gives the age of the allocation.
    private var end = 0
    /// The first valid place since the ring was last resized.
    private var first = 0

    /// Creates a ring of at least `capacity` floats, which is allocated on first use.
    init(capacity: Int) { self.capacity = capacity }

    /// Makes room for several networks with `floats` of packed weights each; may discard the current contents.
    func reserve(network floats: Int) {
        guard Self.networks * floats > capacity else { return }
        capacity = Self.networks * floats
        ring = FloatBuffer(count: 0)
        // The next weights are packed at the start of the ring.
        first = (end / capacity + 1) * capacity
        end = first
    }

    /// Returns whether the weights packed at `place` are still there.
    func holds(_ place: Int) -> Bool { place >= first && end <= place + capacity }

    /// Allocates a place for `count` floats, at most the capacity.
    func next(_ count: Int) -> Int {
        precondition(count <= capacity, "\(count) floats in a ring of \(capacity)")
        if ring.count < capacity { ring = FloatBuffer(count: capacity) }
        let start = end % capacity
        let place = start + count <= capacity ? end : end - start + capacity
        // Round up to whole cache lines.
        end = place + (count + 15) / 16 * 16
        return place
    }

    /// Returns the address of `place`.
    func pointer(_ place: Int) -> MutableFloats { ring.pointer + place % capacity }
}
