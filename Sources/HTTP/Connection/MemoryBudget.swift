import Synchronization

/// Memory budget for requests and responses, shared by connections and by image processing.
///
/// The budget has two parts, so that neither can starve the other. ``buffers`` counts what connections hold: requests
/// as they
/// arrive and responses until they are sent. ``work`` counts the memory for decoding, decompressing and encoding.
public final class MemoryBudget: Sendable {
    /// One part of the budget.
    public final class Part: Sendable {
        /// Maximum number of bytes in this part.
        public let limit: Int
        private let used = Mutex(0)
        private let released = Mutex<Callback?>(nil)

        /// A structure, because the compiler wraps a function that is stored in a `Mutex` by itself once more at each access.
        private struct Callback {
            let call: @Sendable () -> Void
        }

        /// Creates a part of `limit` bytes.
        public init(limit: Int) { self.limit = limit }

        /// Bytes currently counted.
        public var bytes: Int { used.withLock { $0 } }

        /// Adds `change`, which may be negative, to the count, regardless of the limit: the bytes are already
        /// allocated.
        public func add(_ change: Int) { used.withLock { $0 += change } }

        /// Counts `bytes` until the reservation is released; returns nil and counts nothing if they do not fit.
        ///
        /// A reservation larger than the limit is granted when nothing else is counted.
        public func reserve(_ bytes: Int) -> Reservation? {
            let isGranted = used.withLock { used in
                guard bytes == 0 || used == 0 || used + bytes <= limit else { return false }
                used += bytes
                return true
            }
            return isGranted ? Reservation(of: self, bytes) : nil
        }

        /// Sets a callback that is called on any thread whenever a reservation is released.
        public func onRelease(_ action: @escaping @Sendable () -> Void) {
            released.withLock { $0 = Callback(call: action) }
        }

        fileprivate func release(_ bytes: Int) {
            guard bytes > 0 else { return }
            add(-bytes)
            released.withLock { $0 }?.call()
        }
    }

    /// Bytes that are counted until ``release()`` is called or the reservation is deallocated.
    public final class Reservation: Sendable {
        private let part: Part
        private let bytes: Mutex<Int>

        fileprivate init(of part: Part, _ bytes: Int) {
            self.part = part
            self.bytes = Mutex(bytes)
        }

        deinit { release() }

        /// Releases the bytes; calling it again has no effect.
        public func release() {
            let released = bytes.withLock { bytes in
                defer { bytes = 0 }
                return bytes
            }
            part.release(released)
        }
    }

    /// Memory held by connections.
    public let buffers: Part
    /// Memory held by image processing.
    public let work: Part

    /// The default size of a budget in bytes.
    public static let defaultBytes = 512 << 20

    /// Creates a budget of ``defaultBytes``, half of it for image processing.
    public convenience init() { self.init(bytes: Self.defaultBytes, work: Self.defaultBytes / 2) }

    /// Creates a budget of `bytes`, of which `work` are reserved for image processing.
    public init(bytes: Int, work: Int) {
        precondition(0 < work && work < bytes, "\(work) bytes for work out of \(bytes)")
        buffers = Part(limit: bytes - work)
        self.work = Part(limit: work)
    }
}
