/// What is wrong with a data set, and where.
public struct DataError: Error, Equatable, CustomStringConvertible {
    /// The file or folder, and what is wrong with it.
    public let description: String

    /// An error about `place`.
    public init(_ place: String, _ reason: String) { description = "\(place): \(reason)" }
}
