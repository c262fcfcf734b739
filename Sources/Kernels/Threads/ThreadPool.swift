import Synchronization

/// The threads that kernels spread their work over, and the scratch memory of each.
///
/// Work is cut into items by shape alone, never by the number of threads, and no two items add into
/// the same place, so a result does not depend on `count`. Not `Sendable`: one owner runs kernels.
public final class ThreadPool {
    /// How many threads take part, the caller's included.
    public let count: Int
    /// Whether products run on registers of sixteen floats.
    let isWide: Bool
    /// Room for what goes into a network, whose numbers are left from the last one.
    ///
    /// Networks run one after the other, so all share it: who runs one takes the array, and puts it back.
    public var inputs: [Float] = []
    private let threads: SpinningThreads
    private var scratch: [FloatBuffer]
    private var shared = FloatBuffer(count: 0)
    private var zeroes = FloatBuffer(count: 0)
    private var values = FloatBuffer(count: 0)
    /// Weights that are packed when they are needed.
    let packedWeights: PackedWeights

    /// ThreadPool on `count` threads, at least one.
    public convenience init(count: Int) { self.init(count: count, isWide: WideProduct.isSupported) }

    /// The same, with or without the processor's widest registers, and with room for so many floats of packed weights:
    /// results are the same to the last bit.
    package init(count: Int, isWide: Bool, packedCapacity: Int = 8_000_000) {
        precondition(count >= 1, "\(count) workers")
        self.count = count
        self.isWide = isWide && WideProduct.isSupported
        packedWeights = PackedWeights(capacity: packedCapacity)
        threads = SpinningThreads(helpers: count - 1)
        scratch = (0..<count).map { _ in FloatBuffer(count: 0) }
        MatrixProduct.keepToCallingThread()
    }

    deinit { threads.shutdown() }

    /// Gives every worker `floats` of scratch memory; does nothing when they have that much.
    public func reserveScratch(_ floats: Int) {
        for index in scratch.indices where scratch[index].count < floats {
            scratch[index] = FloatBuffer(count: floats)
        }
    }

    /// The scratch memory of `worker`, as large as the last ``reserveScratch(_:)`` asked at least.
    @inline(__always)
    func scratch(of worker: Int) -> MutableFloats { scratch[worker].pointer }

    /// Scratch memory that all workers see, of at least `floats`; one kernel's at a time.
    func sharedScratch(_ floats: Int) -> MutableFloats {
        if shared.count < floats { shared = FloatBuffer(count: floats) }
        return shared.pointer
    }

    /// Makes sure that a network whose ``KeptWeights`` take `floats` when they are packed, and some more as large, can
    /// stay packed at the same time.
    public func reservePackedWeights(_ floats: Int) { packedWeights.reserve(network: floats) }

    /// At least `floats` of memory for the values of a network while it runs.
    ///
    /// Networks run one after the other, so all share it; the pointer is valid until the next call.
    public func arena(_ floats: Int) -> MutableFloats {
        if values.count < floats { values = FloatBuffer(count: floats) }
        return values.pointer
    }

    /// At least `floats` zeros, for what lies beyond a border.
    func zeros(_ floats: Int) -> Floats {
        if zeroes.count < floats { zeroes = FloatBuffer(count: floats) }
        return Floats(zeroes.pointer)
    }

    /// Calls `body(item, worker)` once for each item in `0..<items`, on all threads, and returns when
    /// all are done.
    public func run(_ items: Int, _ body: (_ item: Int, _ worker: Int) -> Void) {
        guard count > 1, items > 1 else {
            for item in 0..<items { body(item, 0) }
            return
        }
        withoutActuallyEscaping(body) { threads.run(items, $0) }
    }

    /// Cuts `0..<total` into ranges of `size` (the last may be shorter) and runs `body` on each.
    public func run(over total: Int, by size: Int, _ body: (_ range: Range<Int>, _ worker: Int) -> Void) {
        run((total + size - 1) / size) { item, worker in
            body(item * size..<min(total, (item + 1) * size), worker)
        }
    }
}
