/// Bytes that wait to be sent, in the arrays in which they were handed over: nothing is copied.
public struct OutgoingBytes: Sendable {
    private var chunks: [ArraySlice<UInt8>] = []
    private var first = 0
    private var offset = 0

    /// The bytes that wait.
    public private(set) var count = 0

    /// Nothing to send.
    public init() {}

    /// Whether nothing waits.
    public var isEmpty: Bool { count == 0 }

    /// Adds `bytes` behind the others.
    public mutating func append(_ bytes: ArraySlice<UInt8>) {
        guard !bytes.isEmpty else { return }
        chunks.append(bytes)
        count += bytes.count
    }

    /// The next bytes to send, `maximum` of them at most; empty if nothing waits.
    public func next(_ maximum: Int) -> ArraySlice<UInt8> {
        guard first < chunks.count else { return [] }
        return chunks[first].dropFirst(offset).prefix(maximum)
    }

    /// Removes the first `sent` bytes, which are at most those that ``next(_:)`` gave.
    public mutating func remove(_ sent: Int) {
        offset += sent
        count -= sent
        guard offset == chunks[first].count else { return }
        chunks[first] = []
        (first, offset) = (first + 1, 0)
        if first == chunks.count { (chunks, first) = ([], 0) }
    }
}
