/// The inputs of a run: every file that its arguments name, once, in order.
///
/// The list takes about 100 bytes for each file.
public struct InputList: Sendable {
    /// The paths.
    public private(set) var paths: [InputPath] = []
    /// The number of files in folders that are neither PNG nor DICOM.
    public private(set) var skipped = 0
    /// The folders that cannot be read, and patterns without a match, with the reason.
    public private(set) var failures: [(path: InputPath, reason: String)] = []

    private var known: Set<InputPath> = []
    private var folders: Set<FileSystem.Identity> = []

    /// Creates an empty list.
    public init() {}

    /// Adds what an argument names: a file, the images of a folder, the matches of a pattern, or standard input ("-").
    ///
    /// A path that does not exist and has `*`, `?` or `[` is a pattern. A path that does not exist otherwise is an input
    /// that cannot be read, so that it has a result of its own.
    public mutating func add(_ argument: InputPath) {
        guard argument != .standardInput else { return append(argument) }
        if let status = try? FileSystem.status(argument) {
            if status.kind == .folder { addFolder(argument, status.identity) } else { append(argument) }
            return
        }
        guard argument.bytes.contains(where: "*?[".utf8.contains) else { return append(argument) }
        let matches = FileSystem.matches(argument)
        if matches.isEmpty { failures.append((argument, "no file matches the pattern")) }
        for match in matches {
            let status = try? FileSystem.status(match)
            if let status, status.kind == .folder { addFolder(match, status.identity) } else { append(match) }
        }
    }

    /// Adds the images in a folder and its subfolders, sorted by name; hidden ones are skipped.
    ///
    /// Symbolic links are followed, but each folder is read once: a link to a folder above ends nowhere.
    private mutating func addFolder(_ folder: InputPath, _ identity: FileSystem.Identity) {
        guard folders.insert(identity).inserted else { return }
        let names: [[UInt8]]
        do {
            names = try FileSystem.names(in: folder)
        } catch {
            failures.append((folder, "\(error)"))
            return
        }
        for name in names {
            let path = folder.appending(name)
            guard let status = try? FileSystem.status(path) else {
                // A symbolic link to nothing.
                if InputKind.isNamed(name) { append(path) } else { skipped += 1 }
                continue
            }
            switch status.kind {
            case .folder: addFolder(path, status.identity)
            case .file where InputKind.isNamed(name) || InputKind.ofFile(path) != nil: append(path)
            case .file, .other: skipped += 1
            }
        }
    }

    private mutating func append(_ path: InputPath) {
        if known.insert(path).inserted { paths.append(path) }
    }

    /// Returns the paths in a list of names, each ended by `separator`; empty lines are skipped.
    public static func paths(in bytes: [UInt8], separator: UInt8) -> [InputPath] {
        bytes.split(separator: separator).compactMap { line in
            // Lists from other systems end lines with CR LF.
            let name = separator == 0x0A && line.last == 0x0D ? line.dropLast() : line
            return name.isEmpty ? nil : InputPath(name)
        }
    }
}
