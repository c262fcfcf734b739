/// A model directory that cannot be loaded.
public struct ModelLoadError: Error, CustomStringConvertible {
    /// The directory.
    public let path: String
    /// What is wrong with it.
    public let reason: ModelFileError

    /// An error of the directory at `path`.
    public init(path: String, reason: ModelFileError) {
        self.path = path
        self.reason = reason
    }

    /// "the model in PATH cannot be loaded: FILE: TENSOR: what is wrong".
    public var description: String { "the model in \(path) cannot be loaded: \(reason)" }
}

/// The model directories below a folder: those whose manifests are valid, and those that cannot be opened.
public struct ModelListing: Sendable {
    /// The directories, in the order of their paths.
    public var directories: [ModelDirectory]
    /// The others.
    public var failures: [ModelLoadError]

    /// A listing.
    public init(directories: [ModelDirectory] = [], failures: [ModelLoadError] = []) {
        self.directories = directories
        self.failures = failures
    }
}
