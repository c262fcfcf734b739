import Foundation

/// The reason of an error of the file system, in plain words.
public struct FileFailure: Error, CustomStringConvertible {
    /// The file or folder, if it is known, and the reason.
    public let description: String

    /// Describes `error`; nil if it is not an error of the file system.
    public init?(_ error: any Error) {
        guard let reason = Self.reason(error) else { return nil }
        let information = (error as? CocoaError)?.userInfo ?? [:]
        let path = information[NSFilePathErrorKey] as? String ?? (information[NSURLErrorKey] as? URL)?.path
        description = path.map { "\($0): \(reason)" } ?? reason
    }

    /// Returns the reason in `error`; nil if it is not an error of the file system.
    static func reason(_ error: any Error) -> String? {
        if let error = error as? POSIXError { return String(cString: strerror(error.code.rawValue)).lowercased() }
        guard let error = error as? CocoaError else { return nil }
        if let cause = error.underlying, let reason = reason(cause) { return reason }
        return switch error.code {
        case .fileNoSuchFile, .fileReadNoSuchFile: "no such file or directory"
        case .fileReadNoPermission, .fileWriteNoPermission: "permission denied"
        case .fileWriteOutOfSpace: "no space left on device"
        case .fileWriteFileExists: "file exists"
        case .fileWriteVolumeReadOnly: "read-only file system"
        default: "cannot be read or written (error \(error.code.rawValue))"
        }
    }
}

/// Reads files and folders with errors in plain words.
enum FileAccess {
    /// The kinds of files that matter here.
    enum Kind: Equatable {
        /// A regular file, and the size in bytes.
        case file(bytes: Int)
        /// A folder, with the numbers that identify it whatever its path.
        case folder(FolderIdentity)
        /// A device, a pipe or a socket; opening it could block.
        case other
        /// A path that does not exist, such as a symbolic link without its target.
        case missing
    }

    /// The device and the file number of a folder.
    struct FolderIdentity: Hashable {
        let device, number: UInt64
    }

    /// Returns what `path` is, following symbolic links (`stat`).
    static func kind(of path: String) -> Kind {
        var information = stat()
        guard stat(path, &information) == 0 else { return .missing }
        switch information.st_mode & S_IFMT {
        case S_IFREG: return .file(bytes: Int(information.st_size))
        case S_IFDIR:
            return .folder(FolderIdentity(device: UInt64(information.st_dev), number: UInt64(information.st_ino)))
        default: return .other
        }
    }

    /// Returns the contents of the regular file at `path`.
    static func contents(of path: String, maximumBytes: Int) throws(DataError) -> Data {
        switch kind(of: path) {
        case .missing: throw DataError(path, "does not exist")
        case .folder, .other: throw DataError(path, "is not a regular file")
        case .file(let bytes):
            guard bytes <= maximumBytes else {
                throw DataError(path, "has \(bytes) bytes, the limit is \(maximumBytes)")
            }
        }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw DataError(path, FileFailure.reason(error) ?? "\(error)")
        }
    }

    /// Returns the names in the folder at `path`, sorted by their bytes, so that the order does not depend on the system.
    static func names(in path: String) throws(DataError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).sorted(by: precedes)
        } catch {
            throw DataError(path, FileFailure.reason(error) ?? "\(error)")
        }
    }

    /// Whether `first` is sorted before `second`.
    static func precedes(_ first: String, _ second: String) -> Bool {
        first.utf8.lexicographicallyPrecedes(second.utf8)
    }
}
