import HTTP
import Synchronization

/// A stream that reports its end exactly once.
final class ObservedStream: BodyStream {
    /// How a stream ended.
    struct End {
        /// Number of bytes produced.
        let bytes: Int
        /// Whether the stream was cancelled or failed before its end.
        let isAbandoned: Bool
    }

    private let stream: any BodyStream
    private let bytes = Mutex(0)
    private let tell: Mutex<(@Sendable (End) -> Void)?>

    init(_ stream: any BodyStream, tell: @escaping @Sendable (End) -> Void) {
        self.stream = stream
        self.tell = Mutex(tell)
    }

    deinit { end(isAbandoned: true) }

    func next() async throws -> [UInt8]? {
        let piece: [UInt8]?
        do {
            piece = try await stream.next()
        } catch {
            end(isAbandoned: true)
            throw error
        }
        if let piece { bytes.withLock { $0 += piece.count } } else { end(isAbandoned: false) }
        return piece
    }

    func cancel() {
        stream.cancel()
        end(isAbandoned: true)
    }

    private func end(isAbandoned: Bool) {
        let tell = tell.withLock { tell in
            defer { tell = nil }
            return tell
        }
        tell?(End(bytes: bytes.withLock { $0 }, isAbandoned: isAbandoned))
    }
}
