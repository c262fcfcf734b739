import Glibc

/// A non-blocking socket: owns its file descriptor, which is closed when the owner releases it.
struct Socket: ~Copyable, Sendable {
    /// The file descriptor, for dispatch sources; valid as long as the socket.
    let descriptor: Int32

    /// Takes ownership of an open `descriptor`.
    private init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = Glibc.close(descriptor) }

    /// Returns a listening socket on the first address that `host` and `port` resolve to.
    static func listen(host: String, port: UInt16) throws(ListenError) -> Socket {
        func failure(_ reason: String) -> ListenError { ListenError(host: host, port: port, reason: reason) }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard status == 0, let list = unsafe list else {
            throw failure(unsafe String(cString: gai_strerror(status)))
        }
        defer { unsafe freeaddrinfo(list) }
        let address = unsafe list.pointee
        do throws(SystemCallError) {
            let descriptor = try systemCall("socket") {
                Glibc.socket(unsafe address.ai_family, unsafe address.ai_socktype, unsafe address.ai_protocol)
            }
            let socket = Socket(owning: descriptor)
            try socket.prepare()
            try socket.setOption(SOL_SOCKET, SO_REUSEADDR)
            _ = try systemCall("bind") { unsafe bind(descriptor, address.ai_addr, address.ai_addrlen) }
            _ = try systemCall("listen") { Glibc.listen(descriptor, 1024) }
            return socket
        } catch {
            throw failure("\(error)")
        }
    }

    /// Returns the address of a listening socket and whether only this machine can reach it (`getsockname`).
    func address() throws(SystemCallError) -> (address: ListeningAddress, isLoopback: Bool) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = try systemCall("getsockname") {
            unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe getsockname(descriptor, $0, &length)
                }
            }
        }
        let family = Int32(storage.ss_family)
        let bytes = unsafe withUnsafeBytes(of: &storage) { unsafe Array($0) }
        let isLoopback = PeerAddress.isLoopback(family: family, bytes: bytes)
        guard family != AF_UNIX else {
            // The path ends at a zero byte; a path that begins with a zero byte is a name in the abstract namespace.
            let path = bytes[2..<max(2, min(Int(length), bytes.count))]
            let name = path.first == 0 ? [UInt8(ascii: "@")] + path.dropFirst() : Array(path)
            return (.unix(path: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)), isLoopback)
        }
        // The port has the same offset for IPv4 and IPv6, in network byte order.
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        return (.tcp(host: PeerAddress(family: family, bytes: bytes).text, port: port), isLoopback)
    }

    /// Takes ownership of a listening socket that another process opened (socket activation).
    static func adopt(_ descriptor: Int32) throws(SystemCallError) -> Socket {
        let socket = Socket(owning: descriptor)
        try socket.prepare()
        // Fails if the descriptor is not a socket that can listen.
        _ = try systemCall("listen") { Glibc.listen(descriptor, 1024) }
        return socket
    }

    /// An accepted connection.
    struct Accepted: ~Copyable {
        let socket: Socket
        let address: PeerAddress
    }

    /// Returns the next connection of a listening socket; nil if none is waiting.
    func accept() throws(SystemCallError) -> Accepted? {
        do throws(SystemCallError) {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = try systemCall("accept") {
                unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        unsafe Glibc.accept(descriptor, $0, &length)
                    }
                }
            }
            let socket = Socket(owning: accepted)
            let family = Int32(storage.ss_family)
            try socket.prepare()
            // Responses are written as a whole, so waiting to fill a packet would only delay them.
            if family != AF_UNIX { try socket.setOption(Int32(IPPROTO_TCP), TCP_NODELAY) }
            let bytes = unsafe withUnsafeBytes(of: &storage) { unsafe Array($0) }
            return Accepted(socket: socket, address: PeerAddress(family: family, bytes: bytes))
        } catch {
            // A connection may be closed before it is accepted.
            if [EAGAIN, EWOULDBLOCK, ECONNABORTED].contains(error.number) { return nil }
            throw error
        }
    }

    /// Result of a read.
    enum Received {
        case bytes(ArraySlice<UInt8>)
        case end
        case nothingYet
    }

    /// Reads into `buffer`.
    func receive(into buffer: inout [UInt8]) throws(SystemCallError) -> Received {
        do throws(SystemCallError) {
            let count = try systemCall("recv") {
                unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            }
            return count == 0 ? .end : .bytes(buffer[..<count])
        } catch {
            if error.number == EAGAIN || error.number == EWOULDBLOCK { return .nothingYet }
            throw error
        }
    }

    /// Writes as much of `bytes` as fits; returns the number of bytes written.
    func send(_ bytes: ArraySlice<UInt8>) throws(SystemCallError) -> Int {
        do throws(SystemCallError) {
            return try systemCall("send") {
                unsafe bytes.withUnsafeBytes {
                    unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            }
        } catch {
            if error.number == EAGAIN || error.number == EWOULDBLOCK { return 0 }
            throw error
        }
    }

    /// Closes the sending direction (`shutdown`).
    func closeSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    private func prepare() throws(SystemCallError) {
        _ = try systemCall("fcntl") { fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        _ = try systemCall("fcntl") { fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    private func setOption(_ level: Int32, _ option: Int32) throws(SystemCallError) {
        var on: Int32 = 1
        _ = try systemCall("setsockopt") {
            unsafe setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
        }
    }
}

/// Error for an address on which the server cannot listen.
public struct ListenError: Error, CustomStringConvertible {
    let host: String
    let port: UInt16
    let reason: String

    /// "cannot listen on HOST:PORT: reason".
    public var description: String {
        "cannot listen on \(host.contains(":") ? "[\(host)]" : host):\(port): \(reason)"
    }
}
