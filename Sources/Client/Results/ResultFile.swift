import Glibc

/// A file that results are written to, or standard output.
///
/// One thread writes whole records, so they are never interleaved. Owns the descriptor, except that of standard output.
public final class ResultFile {
    /// A failed call on a result file.
    public struct Failure: Error, CustomStringConvertible {
        /// The message for the user.
        public let description: String

        init(_ description: String) { self.description = description }

        init(_ action: String, _ path: String, _ number: Int32) {
            description = unsafe "cannot \(action) \(path): \(String(cString: strerror(number)))"
        }
    }

    let descriptor: Int32
    let path: String
    private let isOwned: Bool

    /// Standard output.
    public static func standardOutput() -> ResultFile {
        ResultFile(STDOUT_FILENO, "standard output", isOwned: false)
    }

    private init(_ descriptor: Int32, _ path: String, isOwned: Bool) {
        (self.descriptor, self.path, self.isOwned) = (descriptor, path, isOwned)
    }

    /// Opens the file at `path` with `flags`, and creates it if they say so.
    init(_ path: String, flags: Int32) throws(Failure) {
        descriptor = unsafe open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("open", path, errno) }
        self.path = path
        isOwned = true
    }

    /// Creates the file at `path`, or replaces its contents.
    public convenience init(creating path: String) throws(Failure) {
        try self.init(path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    }

    deinit { if isOwned { close(descriptor) } }

    /// Writes all of `bytes`.
    public func write(_ bytes: [UInt8]) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
            }
            let number = errno
            if count > 0 {
                done += count
            } else if number == EAGAIN {
                var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                unsafe poll(&wanted, 1, 1000)
            } else if number != EINTR {
                throw Failure("write to", path, number)
            }
        }
    }

    /// Writes everything to the storage device; without effect on pipes.
    public func synchronize() throws(Failure) {
        guard fsync(descriptor) != 0 else { return }
        let number = errno
        guard number != EINVAL, number != ENOTSUP, number != EROFS else { return }
        throw Failure("write to", path, number)
    }

    /// Returns at most `count` bytes from `offset`; none at the end.
    func read(_ count: Int, at offset: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        while true {
            let received = unsafe bytes.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, count, offset)
            }
            let number = errno
            if received >= 0 { return Array(bytes.prefix(received)) }
            guard number == EINTR else { throw Failure("read", path, number) }
        }
    }

    /// Cuts the file off after `length` bytes.
    func truncate(to length: Int) throws(Failure) {
        guard ftruncate(descriptor, length) == 0 else { throw Failure("shorten", path, errno) }
    }

    /// Locks the file until it is closed (`flock`); throws if another process has locked it.
    func lock() throws(Failure) {
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return }
        let number = errno
        guard number == EWOULDBLOCK else { throw Failure("lock", path, number) }
        throw Failure("\(path) is being written by another run of dia")
    }

    /// Whether the path still names this file.
    var isCurrent: Bool {
        var (own, named) = (stat(), stat())
        guard unsafe fstat(descriptor, &own) == 0, unsafe stat(path, &named) == 0 else { return false }
        return own.st_ino == named.st_ino && own.st_dev == named.st_dev
    }

    /// Gives this file the name `path`, in place of the file that has it.
    func rename(to path: String) throws(Failure) {
        guard unsafe Glibc.rename(self.path, path) == 0 else { throw Failure("replace", path, errno) }
    }
}
