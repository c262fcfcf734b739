import Foundation
import Synchronization

/// A server on the loopback interface that reads requests and sends exactly the given bytes, valid or not.
final class ScriptedServer: Sendable {
    /// What is done with one request.
    enum Step: Sendable {
        /// Sends bytes; the connection stays open.
        case send(String)
        /// Sends bytes and closes the connection.
        case sendAndClose(String)
        /// Sends bytes, then a zero byte again and again until the client closes.
        case sendEndlessly(String)
        /// Closes without a byte.
        case close
        /// Ends the connection with RST.
        case reset
        /// Sends nothing and waits until the client closes.
        case silence
    }

    private let listener: Int32
    let port: UInt16
    private let state: Mutex<State>

    private struct State {
        var steps: [Step]
        var requests: [String] = []
        var connections = 0
    }

    /// Listens; each request takes the next of `steps`, and the last one is used again.
    init(_ steps: [Step]) {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        precondition(isBound, "no free port")
        port = UInt16(bigEndian: address.sin_port)
        state = Mutex(State(steps: steps))
        Self.acceptAll(descriptor) { [weak self] connection in self?.serve(connection) }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// The heads and bodies of the requests so far.
    var requests: [String] { state.withLock { $0.requests } }
    /// The number of connections so far.
    var connections: Int { state.withLock { $0.connections } }

    /// A valid response of `type` with `fields`, each with its line end.
    static func response(_ status: Int, _ type: String, _ body: String, fields: String = "") -> String {
        "HTTP/1.1 \(status) Any\r\nContent-Type: \(type)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// Accepts connections on a thread of its own, because the calls block, until the listener is closed.
    private static func acceptAll(_ listener: Int32, _ serve: @escaping @Sendable (Int32) -> Void) {
        Thread.detachNewThread {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread {
                    serve(connection)
                    close(connection)
                }
            }
        }
    }

    private func serve(_ connection: Int32) {
        state.withLock { $0.connections += 1 }
        while let request = Self.readRequest(connection) {
            let step = state.withLock { state in
                state.requests.append(request)
                return state.steps.count > 1 ? state.steps.removeFirst() : state.steps[0]
            }
            switch step {
            case .send(let text): Self.send(text, connection)
            case .sendAndClose(let text):
                Self.send(text, connection)
                return
            case .sendEndlessly(let text):
                Self.send(text, connection)
                while Self.send(String(repeating: "\0", count: 65_536), connection) {}
                return
            case .close: return
            case .reset:
                var option = linger(l_onoff: 1, l_linger: 0)
                setsockopt(connection, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
                return
            case .silence:
                var byte: UInt8 = 0
                while recv(connection, &byte, 1, 0) > 0 {}
                return
            }
        }
    }

    @discardableResult private static func send(_ text: String, _ connection: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Reads one request with its body; nil at the end of the connection.
    private static func readRequest(_ connection: Int32) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let head = text[..<end.upperBound]
                let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) }
                if bytes.count >= head.utf8.count + (length ?? 0) { return text }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }
}
