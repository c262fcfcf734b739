/// Permissions of a key.
public enum Scope: String, Sendable, CaseIterable {
    /// Scores, dissolved images and model information.
    case score
    /// The metrics.
    case metrics
    /// Verifying and reloading models.
    case admin

    /// An unknown scope.
    public struct Unknown: Error, CustomStringConvertible {
        /// The word and the known scopes.
        public let description: String
    }

    /// Parses a comma-separated list of scopes.
    public static func set(of list: String) throws(Unknown) -> Set<Scope> {
        var scopes: Set<Scope> = []
        for word in list.split(separator: ",", omittingEmptySubsequences: false) {
            guard let scope = Scope(rawValue: String(word)) else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                throw Unknown(description: "'\(word)' is not a scope; the scopes are \(known)")
            }
            scopes.insert(scope)
        }
        return scopes
    }
}
