import Glibc

/// Standard output and standard error, written without runtime traps.
///
/// A full disk, a closed pipe or a missing descriptor is reported as an error and does not terminate the process.
public enum StandardStream: Int32, Sendable {
    /// Standard output.
    case output = 1
    /// Standard error.
    case error = 2

    /// Error of a failed write to a stream.
    public struct WriteError: Error, CustomStringConvertible {
        let stream: StandardStream
        let number: Int32

        /// "cannot write to standard output: No space left on device".
        public var description: String {
            let name = stream == .output ? "standard output" : "standard error"
            return unsafe "cannot write to \(name): \(String(cString: strerror(number)))"
        }
    }

    /// Whether the stream is a terminal (`isatty`).
    public var isTerminal: Bool { isatty(rawValue) == 1 }

    /// Writes all of `text`.
    public func write(_ text: String) throws(WriteError) {
        if let number = writeAll(Array(text.utf8), to: rawValue) { throw WriteError(stream: self, number: number) }
    }

    /// Writes `message` to standard output if `status` is 0, else to standard error, and ends the process.
    ///
    /// The exit status is 1 if the message cannot be written.
    public static func exit(status: Int32, message: String) -> Never {
        do {
            try (status == 0 ? StandardStream.output : .error).write(message)
        } catch {
            Glibc.exit(1)
        }
        Glibc.exit(status)
    }

    /// Opens `/dev/null` read-only for each standard stream that is missing, so that writing to it remains an error.
    ///
    /// Otherwise the first socket would get the descriptor number of a standard stream, and log lines would be sent
    /// to a client.
    public static func openMissing() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest free number is used, and all lower ones are open at this point.
            _ = unsafe open("/dev/null", O_RDONLY)
        }
    }
}

/// Writes all of `bytes` to `descriptor` (`write`); returns the error number on failure, else nil.
///
/// Waits if the descriptor is non-blocking and full.
public func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
            var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            unsafe poll(&wanted, 1, 1000)
        } else if errno != EINTR {
            return errno
        }
    }
    return nil
}
