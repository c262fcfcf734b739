import Glibc

/// System calls on paths of bytes; all unsafe code on files of the client.
package enum FileSystem {
    /// A failed call.
    package struct Failure: Error, CustomStringConvertible, Equatable {
        /// What was being done, such as "cannot read the file".
        let action: String
        /// The error number of the system (errno).
        package let number: Int32

        /// "cannot read the file: Permission denied".
        package var description: String { unsafe "\(action): \(String(cString: strerror(number)))" }
    }

    /// Identifies a file or folder on this machine, by whatever path it is reached.
    package struct Identity: Hashable, Sendable {
        let device: UInt
        let inode: UInt
    }

    /// What a path names.
    package enum Kind: Sendable {
        case file, folder
        /// A pipe or a device.
        case other
    }

    private static func terminated(_ path: InputPath) -> [CChar] { path.bytes.map { CChar(bitPattern: $0) } + [0] }

    /// Returns what `path` names, through symbolic links (`stat`).
    package static func status(_ path: InputPath) throws(Failure) -> (kind: Kind, identity: Identity) {
        var status = stat()
        guard unsafe stat(terminated(path), &status) == 0 else {
            throw Failure(action: "cannot open the file", number: errno)
        }
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        return (kind, Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino)))
    }

    /// Returns the names in a folder, sorted by their bytes, without those that begin with a dot (`readdir`).
    package static func names(in path: InputPath) throws(Failure) -> [[UInt8]] {
        guard let folder = unsafe opendir(terminated(path)) else {
            throw Failure(action: "cannot read the folder", number: errno)
        }
        defer { unsafe closedir(folder) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(folder) else { break }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe Array(bytes.prefix { $0 != 0 })
            }
            if name.first != UInt8(ascii: ".") { names.append(name) }
        }
        guard errno == 0 else { throw Failure(action: "cannot read the folder", number: errno) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Returns the paths that match a pattern, sorted (`glob`).
    package static func matches(_ pattern: InputPath) -> [InputPath] {
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        guard unsafe glob(terminated(pattern), 0, nil, &found) == 0 else { return [] }
        return (0..<Int(unsafe found.gl_pathc)).compactMap { index in
            guard let path = unsafe found.gl_pathv[index] else { return nil }
            return unsafe InputPath(UnsafeRawBufferPointer(start: path, count: strlen(path)))
        }
    }

    /// Returns at most `limit` first bytes of `path`, or of standard input.
    package static func read(_ path: InputPath, limit: Int) throws(Failure) -> [UInt8] {
        let isInput = path == .standardInput
        let descriptor = isInput ? STDIN_FILENO : unsafe open(terminated(path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(action: "cannot open the file", number: errno) }
        defer { if !isInput { close(descriptor) } }
        var status = stat()
        let isSized = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        var bytes: [UInt8] = []
        // One more byte, so that the end of the file is seen without growing.
        if isSized { bytes.reserveCapacity(min(limit, Int(status.st_size)) + 1) }
        while bytes.count < limit {
            let wanted = min(limit - bytes.count, max(65_536, bytes.capacity - bytes.count))
            let start = bytes.count
            var number: Int32 = 0
            bytes.append(contentsOf: repeatElement(0, count: wanted))
            let count = unsafe bytes.withUnsafeMutableBytes { target in
                let count = unsafe Glibc.read(descriptor, target.baseAddress?.advanced(by: start), wanted)
                number = errno
                return count
            }
            bytes.removeLast(wanted - max(0, count))
            if count == 0 { break }
            guard count > 0 || number == EINTR else { throw Failure(action: "cannot read the file", number: number) }
        }
        return bytes
    }

    /// The arguments of this process as bytes; `CommandLine.arguments` replaces what is not UTF-8.
    package static func arguments() -> [[UInt8]] {
        (0..<Int(CommandLine.argc)).compactMap { index in
            guard let text = unsafe CommandLine.unsafeArgv[index] else { return nil }
            return unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        }
    }
}
