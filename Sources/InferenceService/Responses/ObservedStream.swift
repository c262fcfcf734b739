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
    private let observer: Mutex<Observer?>

    /// A structure, because the compiler wraps a function that is stored in a `Mutex` by itself once more at each access.
    private struct Observer {
        let tell: @Sendable (End) -> Void
    }

    init(_ stream: any BodyStream, tell: @escaping @Sendable (End) -> Void) {
        self.stream = stream
        observer = Mutex(Observer(tell: tell))
    }

    deinit {
        // A response that nobody sends is not produced.
        stream.cancel()
        end(isAbandoned: true)
    }

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
        let observer = observer.withLock { observer in
            defer { observer = nil }
            return observer
        }
        observer?.tell(End(bytes: bytes.withLock { $0 }, isAbandoned: isAbandoned))
    }
}
