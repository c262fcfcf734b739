/// An error in a data set, with its location.
public struct DataError: Error, Equatable, CustomStringConvertible {
    /// The file or folder, and the error.
    public let description: String

    /// Creates an error about `place`.
    public init(_ place: String, _ reason: String) { description = "\(place): \(reason)" }
}
