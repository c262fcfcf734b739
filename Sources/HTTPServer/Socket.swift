import Glibc

/// Socket system calls on file descriptors, with typed errors.
enum Socket {
    /// Returns a non-blocking listening socket on the first address that `host` and `port` resolve to.
    static func listen(host: String, port: UInt16) throws(ListenError) -> Int32 {
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
        var opened: Int32?
        do throws(SystemCallError) {
            let descriptor = try systemCall("socket") {
                socket(unsafe address.ai_family, unsafe address.ai_socktype, unsafe address.ai_protocol)
            }
            opened = descriptor
            try prepare(descriptor)
            try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR)
            _ = try systemCall("bind") { unsafe bind(descriptor, address.ai_addr, address.ai_addrlen) }
            _ = try systemCall("listen") { Glibc.listen(descriptor, 1024) }
            return descriptor
        } catch {
            if let opened { close(opened) }
            throw failure("\(error)")
        }
    }

    /// Returns the address of a listening socket and whether only this machine can reach it (`getsockname`).
    static func address(
        of descriptor: Int32
    ) throws(SystemCallError) -> (address: ListeningAddress, isLoopback: Bool) {
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

    /// Prepares a listening socket that another process opened (socket activation).
    static func adopt(_ descriptor: Int32) throws(SystemCallError) {
        try prepare(descriptor)
        // Fails if the descriptor is not a socket that can listen.
        _ = try systemCall("listen") { Glibc.listen(descriptor, 1024) }
    }

    /// Returns the next connection, non-blocking, and its peer address; nil if none is waiting.
    static func accept(_ listener: Int32) throws(SystemCallError) -> (descriptor: Int32, address: PeerAddress)? {
        do throws(SystemCallError) {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = try systemCall("accept") {
                unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        unsafe Glibc.accept(listener, $0, &length)
                    }
                }
            }
            let family = Int32(storage.ss_family)
            do throws(SystemCallError) {
                try prepare(descriptor)
                // Responses are written as a whole, so waiting to fill a packet would only delay them.
                if family != AF_UNIX { try setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY) }
            } catch {
                close(descriptor)
                throw error
            }
            let bytes = unsafe withUnsafeBytes(of: &storage) { unsafe Array($0) }
            let address = PeerAddress(family: family, bytes: bytes)
            return (descriptor, address)
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
    static func receive(_ descriptor: Int32, into buffer: inout [UInt8]) throws(SystemCallError) -> Received {
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
    static func send(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) throws(SystemCallError) -> Int {
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
    static func closeSending(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes the descriptor.
    static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    private static func prepare(_ descriptor: Int32) throws(SystemCallError) {
        _ = try systemCall("fcntl") { fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        _ = try systemCall("fcntl") { fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    private static func setOption(_ descriptor: Int32, _ level: Int32, _ option: Int32) throws(SystemCallError) {
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
