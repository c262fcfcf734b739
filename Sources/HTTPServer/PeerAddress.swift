import Glibc

/// Whose a connection is, as far as limits go: an IPv4 address, or the 64 bits of an IPv6 address that name a network,
/// since a host may take any number of the others.
struct PeerAddress: Hashable {
    /// The numeric address (`inet_ntop`), or "unix" for a Unix domain socket.
    let text: String
    private let network: [UInt8]

    static func == (left: PeerAddress, right: PeerAddress) -> Bool { left.network == right.network }

    func hash(into hasher: inout Hasher) { hasher.combine(network) }

    /// The address in the bytes of a `sockaddr`; all of other families are one.
    init(family: Int32, bytes: [UInt8]) {
        switch family {
        // sin_addr behind the family and the port.
        case AF_INET:
            network = Array(bytes[4..<8])
            text = Self.text(AF_INET, network)
        // sin6_addr behind those and the flow label.
        case AF_INET6:
            let address = bytes[8..<24]
            // An IPv4 client of a socket for both.
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

    /// Whether it is of this machine alone: 127.0.0.0/8 and ::1, and what is no Internet address at all.
    static func isLoopback(family: Int32, bytes: [UInt8]) -> Bool {
        switch family {
        case AF_INET: bytes[4] == 127
        case AF_INET6: bytes[8..<24].elementsEqual(Array(repeating: 0, count: 15) + [1])
        default: true
        }
    }
}
