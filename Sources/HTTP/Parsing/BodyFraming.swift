/// What the framing fields of a head say of its body (RFC 9112, section 6).
public enum BodyFraming: Sendable, Hashable {
    /// There is no body.
    case none
    /// So many bytes follow.
    case length(Int)
    /// Chunks follow, each with its size.
    case chunked

    /// Whether bytes follow the head.
    public var hasBody: Bool { self != .none && self != .length(0) }

    /// The bytes that are known to follow; none of chunks are.
    var announcedBytes: Int { if case .length(let count) = self { count } else { 0 } }
}
