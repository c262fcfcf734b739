import Foundation
import Glibc

/// The directory with the position of the sidecar and its dead letters.
///
/// One process uses it at a time.
public final class StateDirectory: Sendable {
    /// Up to where a store was worked off.
    public struct Position: Codable, Sendable, Equatable {
        /// What is followed.
        public enum Phase: String, Codable, Sendable {
            /// The list of all instances, as a catch-up.
            case instances
            /// The changes.
            case changes
        }

        /// What is followed.
        public var phase: Phase
        /// The position in the list of all instances; only in the phase of that name.
        public var listed = 0
        /// The number of the last change before which everything is complete.
        public var change: Int
        /// The time of the latest change that was read.
        public var date: String

        /// Creates a position.
        public init(phase: Phase, listed: Int = 0, change: Int, date: String = "") {
            (self.phase, self.listed, self.change, self.date) = (phase, listed, change, date)
        }
    }

    /// An instance that could not be scored.
    public struct DeadLetter: Codable, Sendable {
        /// The instance.
        public let instance: String
        /// Why.
        public let reason: String
        /// The time in UTC, and the number of attempts.
        public let time: String, attempts: Int
    }

    /// A failed call, or contents that are not valid.
    public struct Failure: Error, CustomStringConvertible {
        /// The message for the user.
        public let description: String

        init(_ description: String) { self.description = description }

        init(_ action: String, _ path: String) {
            description = unsafe "cannot \(action) \(path): \(String(cString: strerror(errno)))"
        }
    }

    private let path: String
    private let lock: Int32?

    /// Opens the directory.
    ///
    /// For the only sidecar (`isWriter`), it is created if it is missing, and locked.
    public init(_ path: String, isWriter: Bool) throws(Failure) {
        self.path = path
        guard isWriter else {
            guard unsafe access("\(path)/dead-letters", F_OK) == 0 else {
                throw Failure("open", "\(path)/dead-letters")
            }
            lock = nil
            return
        }
        for folder in [path, "\(path)/dead-letters", "\(path)/requeue"] where unsafe mkdir(folder, 0o700) != 0 {
            guard errno == EEXIST else { throw Failure("create the folder", folder) }
        }
        let descriptor = unsafe open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("open", "\(path)/lock") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            close(descriptor)
            throw isHeld
                ? Failure("another dia orthanc uses the state directory \(path); one store has one sidecar")
                : Failure("lock", "\(path)/lock")
        }
        lock = descriptor
    }

    /// Lets another sidecar use the directory.
    public func unlock() { if let lock { flock(lock, LOCK_UN) } }

    deinit { if let lock { close(lock) } }

    /// Returns the stored position; nil if there is none yet.
    public func position() throws(Failure) -> Position? {
        let file = "\(path)/position.json"
        guard unsafe access(file, F_OK) == 0 else { return nil }
        guard let data = FileManager.default.contents(atPath: file),
            let position = try? JSONDecoder().decode(Position.self, from: data), position.change >= 0,
            position.listed >= 0
        else { throw Failure("\(file) is not valid; remove it to start again, results are not written twice") }
        return position
    }

    /// Stores the position on the device, at once or not at all.
    public func store(_ position: Position) throws(Failure) { try replace("position.json", position) }

    /// Stores a dead letter, on the device.
    public func store(_ letter: DeadLetter) throws(Failure) {
        try replace("dead-letters/\(letter.instance).json", letter)
    }

    /// The dead letters, sorted by instance.
    public func deadLetters() throws(Failure) -> [DeadLetter] {
        try names("dead-letters").compactMap { name in
            FileManager.default.contents(atPath: "\(path)/dead-letters/\(name).json").flatMap {
                try? JSONDecoder().decode(DeadLetter.self, from: $0)
            }
        }
    }

    /// The number of dead letters.
    public func deadLetterCount() throws(Failure) -> Int { try names("dead-letters").count }

    /// Has the sidecar try a dead letter again; returns whether there is one.
    public func requeue(_ instance: String) throws(Failure) -> Bool {
        guard OrthancClient.isIdentifier(instance) else { return false }
        guard unsafe rename("\(path)/dead-letters/\(instance).json", "\(path)/requeue/\(instance).json") == 0 else {
            if errno == ENOENT { return false }
            throw Failure("requeue", instance)
        }
        return true
    }

    /// At most `limit` instances that are to be tried again.
    public func requeued(limit: Int) throws(Failure) -> [String] { Array(try names("requeue").prefix(limit)) }

    /// Forgets an instance that was tried again.
    public func finishRequeued(_ instance: String) {
        _ = unsafe unlink("\(path)/requeue/\(instance).json")
    }

    private func names(_ folder: String) throws(Failure) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")
                .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
                .filter(OrthancClient.isIdentifier).sorted()
        } catch {
            throw Failure("cannot read the folder \(path)/\(folder)")
        }
    }

    /// Writes a file under another name, stores it, and renames it.
    private func replace(_ name: String, _ value: some Encodable) throws(Failure) {
        let target = "\(path)/\(name)"
        let temporary = target + ".new"
        guard let json = try? JSONEncoder().encode(value) else { throw Failure("\(name) cannot be encoded") }
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("create", temporary) }
        var rest = [UInt8](json)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                let failure = Failure("write", temporary)
                close(descriptor)
                throw failure
            }
        }
        let isStored = fsync(descriptor) == 0
        let failure = Failure("write", temporary)
        close(descriptor)
        guard isStored else { throw failure }
        guard unsafe rename(temporary, target) == 0 else { throw Failure("replace", target) }
        // The new name must be stored too.
        let folder = unsafe open((target as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Failure("open the folder of", target) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Failure("write the folder of", target) }
    }
}
