import Glibc

/// Whose a connection is, as far as limits go: an IPv4 address, or the 64 bits of an IPv6 address that name a network,
/// since a host may take any number of the others.
struct PeerAddress: Hashable {
    private let network: [UInt8]

    /// The address in the bytes of a `sockaddr`; all of other families are one.
    init(family: Int32, bytes: [UInt8]) {
        switch family {
        // sin_addr behind the family and the port.
        case AF_INET: network = Array(bytes[4..<8])
        // sin6_addr behind those and the flow label.
        case AF_INET6:
            let address = bytes[8..<24]
            // An IPv4 client of a socket for both.
            let isMapped = address.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
            network = Array(isMapped ? address.suffix(4) : address.prefix(8))
        default: network = []
        }
    }
}
