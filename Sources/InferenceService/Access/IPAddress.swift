import Glibc

/// An IPv4 or IPv6 address.
struct IPAddress: Hashable, CustomStringConvertible {
    /// 4 or 16 bytes in network order.
    let bytes: [UInt8]
    private let family: Int32

    /// Parses the numeric form (`inet_pton`); an IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2) becomes an IPv4
    /// address.
    init?(_ text: String) {
        let families: [(family: Int32, count: Int)] = [(AF_INET, 4), (AF_INET6, 16)]
        for (family, count) in families {
            var bytes = [UInt8](repeating: 0, count: count)
            let isAddress = unsafe bytes.withUnsafeMutableBytes { target in
                unsafe inet_pton(family, text, target.baseAddress) == 1
            }
            guard isAddress else { continue }
            let isMapped = bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
            (self.bytes, self.family) = isMapped ? (Array(bytes.suffix(4)), AF_INET) : (bytes, family)
            return
        }
        return nil
    }

    /// The numeric form (`inet_ntop`).
    var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = unsafe text.withUnsafeMutableBufferPointer { target in
            unsafe inet_ntop(family, bytes, target.baseAddress, socklen_t(target.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the first `bits` bits equal those of `network`.
    func isIn(_ network: IPAddress, bits: Int) -> Bool {
        guard family == network.family else { return false }
        let whole = bits / 8
        guard bytes.prefix(whole) == network.bytes.prefix(whole) else { return false }
        guard bits % 8 > 0 else { return true }
        return (bytes[whole] ^ network.bytes[whole]) >> (8 - bits % 8) == 0
    }
}
