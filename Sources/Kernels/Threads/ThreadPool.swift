import Synchronization

/// The thread pool of the kernels, with scratch memory for each thread.
///
/// Work is divided into items by shape only, never by the number of threads, and no two items add to the same
/// memory, so results do not depend on `count`. Not `Sendable`: one owner runs kernels.
public final class ThreadPool {
    /// The number of threads, including the calling thread.
    public let count: Int
    /// Whether products use 16-float registers.
    package let isWide: Bool
    /// A reusable array for the inputs of a network; it holds the values of the previous run.
    ///
    /// Networks run one after another, so all of them share it. A caller takes the array out and puts it back.
    public var inputs: [Float] = []
    private let threads: SpinningThreads
    private var scratch: [FloatBuffer]
    private var shared = FloatBuffer(count: 0)
    private var zeroes = FloatBuffer(count: 0)
    private var values = FloatBuffer(count: 0)
    /// The ring of weights that are packed when they are needed.
    let packedWeights: PackedWeights

    /// Creates a thread pool with `count` threads, at least one.
    public convenience init(count: Int) { self.init(count: count, isWide: WideProduct.isSupported) }

    /// Creates a thread pool with or without 16-float registers, and with room for `packedCapacity` floats of packed
    /// weights.
    ///
    /// Results are bit-identical in all cases.
    package init(count: Int, isWide: Bool, packedCapacity: Int = 8_000_000) {
        precondition(count >= 1, "invalid number of threads: \(count)")
        self.count = count
        self.isWide = isWide && WideProduct.isSupported
        packedWeights = PackedWeights(capacity: packedCapacity)
        threads = SpinningThreads(helpers: count - 1)
        scratch = (0..<count).map { _ in FloatBuffer(count: 0) }
        MatrixProduct.keepToCallingThread()
    }

    deinit { threads.shutdown() }

    /// Grows the scratch memory of every worker to at least `floats`.
    public func reserveScratch(_ floats: Int) {
        for index in scratch.indices where scratch[index].count < floats {
            scratch[index] = FloatBuffer(count: floats)
        }
    }

    /// Returns the scratch memory of `worker`, at least as large as the last ``reserveScratch(_:)`` requested.
    @inline(__always)
    func scratch(of worker: Int) -> MutableFloats { scratch[worker].pointer }

    /// Returns scratch memory of at least `floats` that all workers share; only one kernel may use it at a time.
    func sharedScratch(_ floats: Int) -> MutableFloats {
        if shared.count < floats { shared = FloatBuffer(count: floats) }
        return shared.pointer
    }

    /// Makes room for the packed ``KeptWeights`` of several networks of this size at the same time.
    ///
    /// `floats` is the size of the packed weights of one network.
    public func reservePackedWeights(_ floats: Int) { packedWeights.reserve(network: floats) }

    /// Returns at least `floats` of memory for the values of a network while it runs.
    ///
    /// Networks run one after another, so all of them share it. The pointer is valid until the next call.
    public func arena(_ floats: Int) -> MutableFloats {
        if values.count < floats { values = FloatBuffer(count: floats) }
        return values.pointer
    }

    /// Returns at least `floats` zeros, for padding.
    func zeros(_ floats: Int) -> Floats {
        if zeroes.count < floats { zeroes = FloatBuffer(count: floats) }
        return Floats(zeroes.pointer)
    }

    /// Calls `body(item, worker)` once for each item in `0..<items`, on all threads; returns when all items are done.
    public func run(_ items: Int, _ body: (_ item: Int, _ worker: Int) -> Void) {
        guard count > 1, items > 1 else {
            for item in 0..<items { body(item, 0) }
            return
        }
        withoutActuallyEscaping(body) { threads.run(items, $0) }
    }

    /// Divides `0..<total` into ranges of `size` (the last may be shorter) and calls `body` for each range.
    public func run(over total: Int, by size: Int, _ body: (_ range: Range<Int>, _ worker: Int) -> Void) {
        run((total + size - 1) / size) { item, worker in
            body(item * size..<min(total, (item + 1) * size), worker)
        }
    }
}
