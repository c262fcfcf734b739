/// Request ID, which identifies a request in its response and its log line.
package enum RequestID {
    /// Returns the client's `X-Request-ID` if it is 1 to 128 printable ASCII characters without spaces, else a new
    /// ID.
    package static func of(_ head: RequestHead) -> String {
        guard let given = head.headers["x-request-id"], (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return fresh() }
        return given
    }

    /// Returns a new ID: 128 random bits in hexadecimal.
    package static func fresh() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
