/// An error in a file of a model directory.
public struct ModelFileError: Error, Equatable, CustomStringConvertible {
    /// The file's name.
    public var file: String
    /// The tensor with the error; nil if the error is not in a tensor.
    public var tensor: String?
    /// What is wrong.
    public var reason: String

    /// Creates an error in `file`.
    public init(file: String, tensor: String? = nil, reason: String) {
        self.file = file
        self.tensor = tensor
        self.reason = reason
    }

    /// "file: tensor 'name': reason".
    public var description: String {
        let place = tensor.map { "\(file): tensor '\($0)'" } ?? file
        return "\(place): \(reason)"
    }
}
