/// The image files of a folder tree `SPLIT/LABEL/**`, as in torchvision's ImageFolder and MVTec AD, and what else is there.
struct FolderListing {
    /// A file of a label, with its path relative to the data.
    struct File {
        let path: String
        let label: String
    }

    private(set) var files: [DataSet.Split: [File]] = [:]
    private(set) var leftOut = LeftOut()
    private let root: String

    /// The names of the splits, in lowercase.
    private static let names: [String: DataSet.Split] = [
        "train": .train, "val": .validation, "valid": .validation, "validation": .validation, "test": .test,
    ]
    /// Files of operating systems, in lowercase.
    private static let systemFiles: Set<String> = ["thumbs.db", "desktop.ini", "__macosx"]
    /// The deepest nesting of folders within a label.
    private static let maximumDepth = 64

    /// Lists the data in the folder `root` without opening an image.
    ///
    /// `isCancelled` is polled regularly.
    init(_ root: String, isCancelled: () -> Bool) throws {
        self.root = root
        var folders: [DataSet.Split: String] = [:]
        for name in try FileAccess.names(in: root) {
            guard !leaveOutSystemFile(name, at: name) else { continue }
            guard let split = Self.names[name.lowercased()], isFolder(name) else {
                leftOut.add(name, isFolder(name) ? .notASplit : .outside)
                continue
            }
            if let other = folders[split] {
                throw DataError(
                    root,
                    "has the folders \(other) and \(name), which are the same split; merge or remove one"
                )
            }
            folders[split] = name
        }
        guard !folders.isEmpty else {
            throw DataError(root, "has no train, val or test folder; images belong in train/LABEL and test/LABEL")
        }
        for (split, name) in folders.sorted(by: { FileAccess.precedes($0.value, $1.value) }) {
            files[split] = try labels(in: name, isCancelled)
        }
    }

    /// Lists all images in the folder `root` and the folders in it as training images labeled `label`.
    init(imagesIn root: String, label: String, isCancelled: () -> Bool) throws {
        self.root = root
        var visited: Set<FileAccess.FolderIdentity> = []
        if case .folder(let identity) = FileAccess.kind(of: root) { visited.insert(identity) }
        var paths: [String] = []
        try walk(".", depth: 0, visited: &visited, into: &paths, isCancelled)
        files[.train] = paths.sorted(by: FileAccess.precedes).map { File(path: $0, label: label) }
    }

    private func isFolder(_ path: String) -> Bool {
        if case .folder = FileAccess.kind(of: "\(root)/\(path)") { true } else { false }
    }

    private mutating func labels(in split: String, _ isCancelled: () -> Bool) throws -> [File] {
        var result: [File] = []
        for label in try FileAccess.names(in: "\(root)/\(split)") {
            let path = "\(split)/\(label)"
            guard !leaveOutSystemFile(label, at: path) else { continue }
            guard case .folder(let identity) = FileAccess.kind(of: "\(root)/\(path)") else {
                leftOut.add(path, .outside)
                continue
            }
            var visited: Set = [identity]
            for above in ["", split] {
                if case .folder(let identity) = FileAccess.kind(of: "\(root)/\(above)") { visited.insert(identity) }
            }
            var paths: [String] = []
            try walk(path, depth: 0, visited: &visited, into: &paths, isCancelled)
            // Sorted, so that a seed selects the same images on every file system.
            result += paths.sorted(by: FileAccess.precedes).map { File(path: $0, label: label) }
        }
        return result
    }

    private mutating func walk(
        _ folder: String,
        depth: Int,
        visited: inout Set<FileAccess.FolderIdentity>,
        into paths: inout [String],
        _ isCancelled: () -> Bool
    ) throws {
        if isCancelled() { throw Interrupted(.reading) }
        for name in try FileAccess.names(in: "\(root)/\(folder)") {
            let path = "\(folder)/\(name)"
            guard !leaveOutSystemFile(name, at: path) else { continue }
            switch FileAccess.kind(of: "\(root)/\(path)") {
            case .folder(let identity):
                guard visited.insert(identity).inserted else {
                    leftOut.add(path, .visited)
                    continue
                }
                guard depth < Self.maximumDepth else {
                    throw DataError("\(root)/\(path)", "is nested too deeply, more than \(Self.maximumDepth) folders")
                }
                try walk(path, depth: depth + 1, visited: &visited, into: &paths, isCancelled)
            case .file:
                if Self.hasImageExtension(name) { paths.append(path) } else { leftOut.add(path, .otherFile) }
            case .missing:
                if Self.hasImageExtension(name) { paths.append(path) } else { leftOut.add(path, .otherFile) }
            case .other: leftOut.add(path, .special)
            }
        }
    }

    /// Adds hidden files and files of operating systems to the files that are left out; returns false for others.
    private mutating func leaveOutSystemFile(_ name: String, at path: String) -> Bool {
        if name.hasPrefix(".") {
            leftOut.add(path, .hidden)
        } else if Self.systemFiles.contains(name.lowercased()) {
            leftOut.add(path, .system)
        } else {
            return false
        }
        return true
    }

    private static func hasImageExtension(_ name: String) -> Bool {
        [".png", ".jpg", ".jpeg"].contains { name.lowercased().hasSuffix($0) }
    }
}

/// The files and folders that are not read, by reason.
public struct LeftOut: Sendable {
    /// A reason to leave out a file or a folder.
    public enum Reason: String, Sendable, CaseIterable {
        /// Names that start with a dot.
        case hidden = "hidden files and folders"
        /// Thumbs.db, desktop.ini, __MACOSX.
        case system = "files of operating systems"
        /// Files in a label's folder that do not end in .png, .jpg or .jpeg.
        case otherFile = "files that are not .png, .jpg or .jpeg"
        /// Files that are not in a label's folder.
        case outside = "files outside the folders of the labels"
        /// Folders beside the splits, such as MVTec's ground_truth.
        case notASplit = "folders that are not a split (train, val, test)"
        /// Folders that a symbolic link leads back to.
        case visited = "links to folders that were already read"
        /// Pipes, devices and sockets.
        case special = "pipes, devices and sockets"
    }

    /// The paths of each reason, relative to the data.
    public private(set) var paths: [Reason: [String]] = [:]

    mutating func add(_ path: String, _ reason: Reason) { paths[reason, default: []].append(path) }

    /// One line for each reason: the number of files, and the first names; empty if nothing was left out.
    public var text: String {
        Reason.allCases.compactMap { reason in
            paths[reason].map { paths in
                let names = paths.prefix(3).joined(separator: ", ") + (paths.count > 3 ? ", ..." : "")
                return "left out, \(reason.rawValue): \(paths.count) (\(names))\n"
            }
        }.joined()
    }
}
