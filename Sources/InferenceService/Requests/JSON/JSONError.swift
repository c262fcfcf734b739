/// Error of a JSON text.
package enum JSONError: Error, Equatable {
    /// The text is not valid JSON.
    case invalid
    /// Arrays and objects are nested more deeply than ``JSONReader/maximumDepth``.
    case tooDeep
    /// A value does not have the expected type.
    case wrongType
    /// A string is longer than allowed.
    case tooLong
    /// Reading was cancelled.
    case cancelled
}
