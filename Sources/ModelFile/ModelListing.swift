import Foundation

/// The error for a model directory that cannot be loaded.
public struct ModelLoadError: Error, CustomStringConvertible {
    /// The directory.
    public let path: String
    /// The error in the directory.
    public let reason: ModelFileError

    /// Creates an error for the directory at `path`.
    public init(path: String, reason: ModelFileError) {
        self.path = path
        self.reason = reason
    }

    /// "the model in PATH cannot be loaded: FILE: TENSOR: what is wrong".
    public var description: String { "the model in \(path) cannot be loaded: \(reason)" }
}

/// The model directories in a folder: those with valid manifests, and those that cannot be opened.
public struct ModelListing: Sendable {
    /// The directories with valid manifests, in the order of their paths.
    public var directories: [ModelDirectory]
    /// The directories that cannot be opened.
    public var failures: [ModelLoadError]

    /// Creates a listing.
    public init(directories: [ModelDirectory] = [], failures: [ModelLoadError] = []) {
        self.directories = directories
        self.failures = failures
    }
}

/// A folder without a list of models that can be used.
public struct ModelFolderError: Error, CustomStringConvertible {
    /// Description of the error, beginning with the path.
    public let description: String
}

extension ModelListing {
    /// Returns the model directories in `folder`, or the folder itself if it is one; those that cannot be opened are
    /// listed with the reason.
    ///
    /// Names that begin with a dot are skipped: incomplete copies, and files of version control and editors.
    public init(folder: String) throws(ModelFolderError) {
        self.init()
        let manager = FileManager.default
        var paths = [folder]
        if !manager.fileExists(atPath: "\(folder)/\(ModelManifest.fileName)") {
            guard let names = try? manager.contentsOfDirectory(atPath: folder).sorted() else {
                throw ModelFolderError(description: "\(folder): the folder does not exist")
            }
            paths = names.filter { !$0.hasPrefix(".") }.map { "\(folder)/\($0)" }.filter {
                manager.fileExists(atPath: "\($0)/\(ModelManifest.fileName)")
            }
        }
        guard !paths.isEmpty else {
            throw ModelFolderError(description: "\(folder): neither it nor its subfolders have a model.json")
        }
        for path in paths {
            do {
                directories.append(try ModelDirectory(path: path))
            } catch {
                failures.append(ModelLoadError(path: path, reason: error))
            }
        }
        let names = directories.map(\.manifest.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw ModelFolderError(description: "\(folder): two models are named '\(twice)'")
        }
    }
}
