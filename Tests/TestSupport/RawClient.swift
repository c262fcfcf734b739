import Dispatch
import Glibc

/// A socket client that sends exactly the given bytes, which an HTTP library would not do.
///
/// Its calls block, so they run on their own queue: the server shares Swift's task threads.
/// `@unchecked Sendable`: stored properties are accessed only on `queue`.
public final class RawClient: @unchecked Sendable {
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "client")

    /// A failed connection.
    public struct Failure: Error {}

    /// Connects to `port` on the loopback interface; reads give up after `timeout` seconds.
    public init(port: UInt16, timeout: Int = 10) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure() }
        var limit = timeval(tv_sec: timeout, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Connects to the Unix domain socket at `path`.
    public init(unixPath path: String, timeout: Int = 10) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard Self.withAddress(path, { connect(descriptor, $0, $1) }) == 0 else { throw Failure() }
        var limit = timeval(tv_sec: timeout, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// A listening Unix domain socket at `path`; nil if that fails.
    public static func listen(unixPath path: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard withAddress(path, { bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, 16) == 0 else {
            return nil
        }
        return descriptor
    }

    private static func withAddress(
        _ path: String,
        _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Sends `bytes`; those that the peer does not accept are dropped.
    public func send(_ bytes: some Collection<UInt8>) async {
        let bytes = Array(bytes)
        await blocking { self.sendAll(bytes) }
    }

    private func blocking<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in queue.async { continuation.resume(returning: work()) } }
    }

    private func sendAll(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a text.
    public func send(_ text: String) async { await send(text.utf8) }

    /// Closes the sending side of the connection.
    public func closeSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// A response as received.
    public struct Response: Sendable {
        /// The status code.
        public var status: Int
        /// The head.
        public var head: String
        /// The body.
        public var body: [UInt8]
    }

    private var buffer: [UInt8] = []

    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return false }
        buffer += chunk[..<count]
        return true
    }

    /// The next bytes, as they arrive; nil at the end of the connection.
    public func receive() async -> [UInt8]? {
        await blocking {
            guard !self.buffer.isEmpty || self.fill() else { return nil }
            defer { self.buffer = [] }
            return self.buffer
        }
    }

    /// The next response, delimited by its Content-Length or its chunks; nil if the connection ended first.
    public func response(toHead: Bool = false) async -> Response? {
        await blocking { self.nextResponse(toHead) }
    }

    private func nextResponse(_ toHead: Bool) -> Response? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let found = (0..<max(0, buffer.count - 3)).first(where: { buffer[$0..<$0 + 4].elementsEqual(end) }) {
                let head = String(decoding: buffer[..<found], as: UTF8.self)
                let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
                let length =
                    head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
                if head.lowercased().contains("transfer-encoding: chunked") {
                    buffer.removeFirst(found + 4)
                    return chunks().map { Response(status: status, head: head, body: $0) }
                }
                let total = found + 4 + (toHead || status == 100 ? 0 : length)
                while buffer.count < total { guard fill() else { return nil } }
                defer { buffer.removeFirst(total) }
                return Response(status: status, head: head, body: Array(buffer[(found + 4)..<total]))
            }
            guard fill() else { return nil }
        }
    }

    private func chunks() -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            while !buffer.contains(0x0A) { guard fill() else { return nil } }
            let line = buffer.prefix { $0 != 0x0D }
            guard let size = Int(String(decoding: line, as: UTF8.self), radix: 16) else { return nil }
            let total = line.count + 2 + size + 2
            while buffer.count < total { guard fill() else { return nil } }
            body += buffer[(line.count + 2)..<(total - 2)]
            buffer.removeFirst(total)
            if size == 0 { return body }
        }
    }

    /// Whether the peer has closed the connection: nothing more arrives, even after waiting.
    public func isClosed() async -> Bool { await blocking { self.buffer.isEmpty && !self.fill() } }
}
