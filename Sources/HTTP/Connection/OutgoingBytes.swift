/// Queue of bytes to send, kept in the arrays in which they were passed: nothing is copied.
public struct OutgoingBytes: Sendable {
    private var chunks: [ArraySlice<UInt8>] = []
    private var first = 0
    private var offset = 0

    /// Number of queued bytes.
    public private(set) var count = 0

    /// Creates an empty queue.
    public init() {}

    /// Whether the queue is empty.
    public var isEmpty: Bool { count == 0 }

    /// Appends `bytes` to the queue.
    public mutating func append(_ bytes: ArraySlice<UInt8>) {
        guard !bytes.isEmpty else { return }
        chunks.append(bytes)
        count += bytes.count
    }

    /// Returns the next bytes to send, at most `maximum`; empty if the queue is empty.
    public func next(_ maximum: Int) -> ArraySlice<UInt8> {
        guard first < chunks.count else { return [] }
        return chunks[first].dropFirst(offset).prefix(maximum)
    }

    /// Removes the first `sent` bytes, at most as many as ``next(_:)`` returned.
    public mutating func remove(_ sent: Int) {
        offset += sent
        count -= sent
        guard offset == chunks[first].count else { return }
        chunks[first] = []
        (first, offset) = (first + 1, 0)
        if first == chunks.count { (chunks, first) = ([], 0) }
    }
}
