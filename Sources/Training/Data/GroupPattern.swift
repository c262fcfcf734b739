/// A regular expression that finds the group of an image, such as its patient, in the image's path.
///
/// `@unchecked Sendable`: `Regex` is immutable, but not declared `Sendable`.
public struct GroupPattern: @unchecked Sendable {
    /// The regular expression.
    public let pattern: String
    private let regex: Regex<AnyRegexOutput>

    /// Creates the pattern from a regular expression; throws an error if it is not valid.
    public init(_ pattern: String) throws(DataError) {
        self.pattern = pattern
        do {
            regex = try Regex(pattern)
        } catch {
            throw DataError("--groups \(pattern)", "is not a valid regular expression")
        }
    }

    /// Returns the group of the image at `path`, relative to the data: the first capture group, or else the whole match.
    ///
    /// Returns nil if the expression does not match, or matches nothing.
    public func group(of path: String) -> String? {
        guard let match = path.firstMatch(of: regex) else { return nil }
        let found = match.output.count > 1 ? match.output[1].substring : match.output[0].substring
        guard let found, !found.isEmpty else { return nil }
        return String(found)
    }
}
