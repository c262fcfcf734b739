import Foundation

/// What systemd hands a service and wants to hear of it (sd_notify(3), sd_listen_fds(3)); nothing happens where
/// there is none.
enum Systemd {
    private static let firstDescriptor: Int32 = 3

    /// The listening socket that the service was started with, if it was.
    static func inheritedSocket() throws -> Int32? {
        let environment = ProcessInfo.processInfo.environment
        guard let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), count > 0,
            environment["LISTEN_PID"].flatMap({ Int32($0) }) == getpid()
        else { return nil }
        guard count == 1 else { throw ActivationError(description: "LISTEN_FDS: one socket is expected, not \(count)") }
        return firstDescriptor
    }

    /// How often systemd wants to hear that the service lives; nil if it does not.
    static var watchdogInterval: Duration? {
        let environment = ProcessInfo.processInfo.environment
        guard let microseconds = environment["WATCHDOG_USEC"].flatMap({ Int($0) }), microseconds > 0,
            environment["WATCHDOG_PID"].map({ Int32($0) == getpid() }) ?? true
        else { return nil }
        // Twice as often as it would do.
        return .microseconds(microseconds / 2)
    }

    /// Requests are answered from now on, or again.
    static func ready() { notify("READY=1\nSTATUS=Serving") }

    /// Models, keys and certificates are being loaded again.
    static func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        notify("RELOADING=1\nMONOTONIC_USEC=\(Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1000)")
    }

    /// What was begun is being finished.
    static func stopping() { notify("STOPPING=1\nSTATUS=Finishing what was begun") }

    /// The service lives.
    static func watchdog() { notify("WATCHDOG=1") }

    /// Sends one datagram to the socket that NOTIFY_SOCKET names; its loss would not be the service's end.
    private static func notify(_ text: String) {
        guard let path = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"] else { return }
        var address = sockaddr_un()
        var bytes = Array(path.utf8)
        guard bytes.first == UInt8(ascii: "/") || bytes.first == UInt8(ascii: "@"),
            bytes.count < MemoryLayout.size(ofValue: address.sun_path)
        else { return }
        // A name without a place in the file system begins with a zero.
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

    /// What cannot be taken over.
    struct ActivationError: Error, CustomStringConvertible {
        let description: String
    }
}
