import Glibc

/// Peer address to which limits apply: an IPv4 address, or the 64-bit network prefix of an IPv6 address.
///
/// The remaining 64 bits are ignored because a host can use any number of addresses in its network.
struct PeerAddress: Hashable {
    /// The numeric address (`inet_ntop`), or "unix" for a Unix domain socket.
    let text: String
    private let network: [UInt8]

    static func == (left: PeerAddress, right: PeerAddress) -> Bool { left.network == right.network }

    func hash(into hasher: inout Hasher) { hasher.combine(network) }

    /// Parses the bytes of a `sockaddr`; all addresses of other families are equal.
    init(family: Int32, bytes: [UInt8]) {
        switch family {
        // sin_addr follows the family and the port.
        case AF_INET:
            network = Array(bytes[4..<8])
            text = Self.text(AF_INET, network)
        // sin6_addr follows the family, the port and the flow label.
        case AF_INET6:
            let address = bytes[8..<24]
            // An IPv4 client of a dual-stack socket.
            let isMapped = address.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
            network = Array(isMapped ? address.suffix(4) : address.prefix(8))
            text = isMapped ? Self.text(AF_INET, network) : Self.text(AF_INET6, Array(address))
        default:
            network = []
            text = "unix"
        }
    }

    private static func text(_ family: Int32, _ bytes: [UInt8]) -> String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let isText = unsafe text.withUnsafeMutableBufferPointer { target in
            unsafe inet_ntop(family, bytes, target.baseAddress, socklen_t(target.count)) != nil
        }
        return isText ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    }

    /// Whether an address is local to this machine: 127.0.0.0/8, ::1 or an address of another family.
    static func isLoopback(family: Int32, bytes: [UInt8]) -> Bool {
        switch family {
        case AF_INET: bytes[4] == 127
        case AF_INET6: bytes[8..<24].elementsEqual(Array(repeating: 0, count: 15) + [1])
        default: true
        }
    }
}
