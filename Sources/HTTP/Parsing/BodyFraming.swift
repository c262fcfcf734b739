/// Framing of a request body, from the header fields (RFC 9112, section 6).
public enum BodyFraming: Sendable, Hashable {
    /// There is no body.
    case none
    /// The given number of bytes follows.
    case length(Int)
    /// Chunks follow, each preceded by its size.
    case chunked

    /// Whether bytes follow the head.
    public var hasBody: Bool { self != .none && self != .length(0) }

    /// Announced size of the body in bytes; 0 for chunks.
    var announcedBytes: Int { if case .length(let count) = self { count } else { 0 } }
}
