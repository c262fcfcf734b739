import HTTP
import Synchronization

/// The body of a request on its way from the connection's queue to the handler's task.
final class IncomingBody: BodySource {
    /// Bytes at which the connection stops reading until half of them are taken.
    private static let limit = 256 << 10

    private let pieces = BoundedQueue<Result<[UInt8], RequestError>>(limit: limit)

    /// Creates a body; `onRoom` is called, on any thread, when a handler that had enough wants more.
    init(onRoom: @escaping @Sendable () -> Void) { pieces.onRoom(onRoom) }

    /// Bytes that the handler has not taken yet.
    var count: Int { pieces.weight }

    private let isAborted = Atomic<Bool>(false)
    /// Memory of a piece besides its bytes.
    private static let overhead = 64

    /// Adds bytes; returns whether the handler wants more.
    func add(_ bytes: [UInt8]) -> Bool { pieces.offer(.success(bytes), weight: bytes.count + Self.overhead) }

    /// Discards the body: the client has disconnected.
    func abort() {
        isAborted.store(true, ordering: .relaxed)
        pieces.cancel()
    }

    /// Ends the body; with an error if the rest of it cannot be read.
    func end(_ error: RequestError?) {
        if let error { pieces.offer(.failure(error), weight: 0) }
        pieces.finish()
    }

    func next() async throws(RequestError) -> [UInt8]? {
        let piece = try await pieces.next()?.get()
        if isAborted.load(ordering: .relaxed) { throw RequestError(400, "the client has disconnected") }
        return piece
    }
}
