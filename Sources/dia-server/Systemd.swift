import Foundation

/// Socket activation and notifications of systemd (sd_notify(3), sd_listen_fds(3)); no effect without systemd.
enum Systemd {
    private static let firstDescriptor: Int32 = 3

    /// Returns the listening socket passed to the service; nil if there is none.
    static func inheritedSocket() throws -> Int32? {
        let environment = ProcessInfo.processInfo.environment
        guard let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), count > 0,
            environment["LISTEN_PID"].flatMap({ Int32($0) }) == getpid()
        else { return nil }
        guard count == 1 else { throw ActivationError(description: "LISTEN_FDS: expected one socket, not \(count)") }
        return firstDescriptor
    }

    /// Interval between watchdog notifications; nil if the watchdog is disabled.
    static var watchdogInterval: Duration? {
        let environment = ProcessInfo.processInfo.environment
        guard let microseconds = environment["WATCHDOG_USEC"].flatMap({ Int($0) }), microseconds > 0,
            environment["WATCHDOG_PID"].map({ Int32($0) == getpid() }) ?? true
        else { return nil }
        // Half of the interval that systemd requires.
        return .microseconds(microseconds / 2)
    }

    /// Reports that the service handles requests.
    static func ready() { notify("READY=1\nSTATUS=Serving") }

    /// Reports that models, keys and certificates are being reloaded.
    static func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        notify("RELOADING=1\nMONOTONIC_USEC=\(Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1000)")
    }

    /// Reports that the service is shutting down.
    static func stopping() { notify("STOPPING=1\nSTATUS=Finishing requests in progress") }

    /// Reports that the service is alive.
    static func watchdog() { notify("WATCHDOG=1") }

    /// Sends one datagram to the socket in NOTIFY_SOCKET; a lost datagram is ignored.
    private static func notify(_ text: String) {
        guard let path = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"] else { return }
        var address = sockaddr_un()
        var bytes = Array(path.utf8)
        guard bytes.first == UInt8(ascii: "/") || bytes.first == UInt8(ascii: "@"),
            bytes.count < MemoryLayout.size(ofValue: address.sun_path)
        else { return }
        // A name in the abstract namespace begins with a zero byte.
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                text.withCString {
                    sendto(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL), address, length)
                }
            }
        }
    }

    /// Error for inherited sockets that cannot be used.
    struct ActivationError: Error, CustomStringConvertible {
        let description: String
    }
}
