import Synchronization

/// The bytes that requests and answers may occupy, shared by connections and by the work on their images.
///
/// It has two parts, so that neither can starve the other. ``buffers`` counts what connections hold: requests as they
/// arrive and answers until they are sent. ``work`` counts what decoding, unpacking and encoding need while they run.
public final class MemoryBudget: Sendable {
    /// One part of the budget.
    public final class Part: Sendable {
        /// The bytes that this part may count.
        public let limit: Int
        private let used = Mutex(0)
        private let released = Mutex<(@Sendable () -> Void)?>(nil)

        /// A part of `limit` bytes.
        public init(limit: Int) { self.limit = limit }

        /// The bytes counted now.
        public var bytes: Int { used.withLock { $0 } }

        /// Counts `change` more bytes, or fewer if it is negative, whatever the limit: they exist already.
        public func add(_ change: Int) { used.withLock { $0 += change } }

        /// Counts `bytes` until the reservation is released; nil, and nothing is counted, if they do not fit.
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

        /// From now on calls `action` whenever a reservation, or a piece of one, is released; on any thread.
        public func onRelease(_ action: @escaping @Sendable () -> Void) { released.withLock { $0 = action } }

        fileprivate func release(_ bytes: Int) {
            guard bytes > 0 else { return }
            add(-bytes)
            released.withLock { $0 }?()
        }
    }

    /// Bytes counted until ``release()`` is called, or until nobody holds the reservation any more.
    public final class Reservation: Sendable {
        private let part: Part
        private let bytes: Mutex<Int>

        fileprivate init(of part: Part, _ bytes: Int) {
            self.part = part
            self.bytes = Mutex(bytes)
        }

        deinit { release() }

        /// Counts the bytes no longer; calling it again does nothing.
        public func release() { shrink(to: 0) }

        /// Counts `count` bytes from now on, if those are fewer.
        public func shrink(to count: Int) {
            let freed = bytes.withLock { bytes in
                let freed = max(0, bytes - count)
                bytes -= freed
                return freed
            }
            part.release(freed)
        }
    }

    /// What connections hold.
    public let buffers: Part
    /// What work on images holds.
    public let work: Part

    /// A budget of `bytes`, of which `work` are reserved for work on images.
    public init(bytes: Int, work: Int) {
        precondition(0 < work && work < bytes, "\(work) bytes for work out of \(bytes)")
        buffers = Part(limit: bytes - work)
        self.work = Part(limit: work)
    }
}
