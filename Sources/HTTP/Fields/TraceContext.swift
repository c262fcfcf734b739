/// Position of a request in a trace (W3C Trace Context, `traceparent`).
package struct TraceContext: Sendable, Hashable {
    package let traceID, parentID, flags: String
    /// Span ID of this request.
    package let spanID: String

    /// Parses the trace context of a request; nil if `traceparent` is missing or invalid.
    package init?(_ head: RequestHead) {
        guard let field = head.headers["traceparent"] else { return nil }
        let parts = field.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        // Later versions may have more parts; version ff is invalid.
        guard parts.count >= 4, Self.isHexadecimal(parts[0], 2), parts[0] != "ff", parts[0] != "00" || parts.count == 4,
            Self.isHexadecimal(parts[1], 32), Self.isHexadecimal(parts[2], 16), Self.isHexadecimal(parts[3], 2),
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        (traceID, parentID, flags) = (parts[1], parts[2], parts[3])
        spanID = String(RequestID.fresh().prefix(16))
    }

    /// The `traceparent` value for the next service.
    package var field: String { "00-\(traceID)-\(spanID)-\(flags)" }

    private static func isHexadecimal(_ text: String, _ count: Int) -> Bool {
        text.utf8.count == count
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
