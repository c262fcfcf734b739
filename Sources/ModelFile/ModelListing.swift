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
