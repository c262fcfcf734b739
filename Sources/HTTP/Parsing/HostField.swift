/// Value of the Host field, `uri-host [ ":" port ]` (RFC 9110, section 7.2; RFC 3986, section 3.2.2).
enum HostField {
    /// Whether `value` is a host with an optional port, or a required one if `needsPort` is true.
    ///
    /// User information is not allowed.
    static func isValid(_ value: String, needsPort: Bool = false) -> Bool {
        let bytes = Array(value.utf8)[...]
        let host: ArraySlice<UInt8>
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")),
                isIPv6(bytes[1..<end]) || isFutureAddress(bytes[1..<end])
            else { return false }
            host = bytes[...end]
        } else {
            host = bytes.prefix { $0 != UInt8(ascii: ":") }
            guard !host.isEmpty, isRegisteredName(host) else { return false }
        }
        let port = bytes[host.endIndex...]
        if port.isEmpty { return !needsPort }
        return isPort(port) && (!needsPort || port.count > 1)
    }

    /// `":" *DIGIT`, a number that fits in 16 bits.
    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.first == UInt8(ascii: ":") else { return false }
        let digits = text.dropFirst().drop { $0 == 0x30 }
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }), digits.count <= 5 else { return false }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 65_535
    }

    /// `reg-name`: unreserved, percent-encoded, sub-delims.
    private static func isRegisteredName(_ text: ArraySlice<UInt8>) -> Bool {
        text.allSatisfy { Token.isUnreserved($0) || Token.isSubDelimiter($0) || $0 == UInt8(ascii: "%") }
            && PercentEncoding.decode(text) != nil
    }

    /// `IPv6address`: eight groups of up to four hexadecimal digits.
    ///
    /// At most one run of zero groups is left out. The last two groups may be an IPv4 address.
    private static func isIPv6(_ text: ArraySlice<UInt8>) -> Bool {
        let pieces = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard (3...9).contains(pieces.count) else { return false }
        var (groups, gaps) = (0, 0)
        for (index, piece) in pieces.enumerated() {
            let isLast = index == pieces.count - 1
            if piece.isEmpty {
                // An empty piece is the gap of "::"; at either end, the gap makes two empty pieces.
                let isEdge = index == 0 || isLast
                let neighbor = index == 0 ? pieces[1] : pieces[index - 1]
                guard !isEdge || neighbor.isEmpty else { return false }
                if !isEdge { gaps += 1 }
            } else if isLast, piece.contains(UInt8(ascii: ".")) {
                guard isIPv4(piece) else { return false }
                groups += 2
            } else {
                guard piece.count <= 4, piece.allSatisfy({ PercentEncoding.digit($0) != nil }) else { return false }
                groups += 1
            }
        }
        return gaps == 0 ? groups == 8 : gaps == 1 && groups <= 7
    }

    /// `IPvFuture`: a hexadecimal version and an address in the format of that version; only the syntax is checked.
    private static func isFutureAddress(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, first | 0x20 == UInt8(ascii: "v") else { return false }
        let parts = text.dropFirst().split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && parts[0].allSatisfy { PercentEncoding.digit($0) != nil }
            && !parts[1].isEmpty
            && parts[1].allSatisfy { Token.isUnreserved($0) || Token.isSubDelimiter($0) || $0 == UInt8(ascii: ":") }
    }

    /// Four numbers up to 255 without leading zeros.
    private static func isIPv4(_ text: ArraySlice<UInt8>) -> Bool {
        let numbers = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return numbers.count == 4
            && numbers.allSatisfy { number in
                (1...3).contains(number.count) && number.allSatisfy { (0x30...0x39).contains($0) }
                    && (number.count == 1 || number.first != 0x30)
                    && number.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
            }
    }
}
