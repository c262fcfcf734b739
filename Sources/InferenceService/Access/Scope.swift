/// What a key lets its holder do.
public enum Scope: String, Sendable, CaseIterable {
    /// Scores, dissolved images, and what is known of the models.
    case score
    /// The metrics.
    case metrics
    /// Verifying and reloading models.
    case admin

    /// A word that names no scope.
    public struct Unknown: Error, CustomStringConvertible {
        /// The word, and what there is.
        public let description: String
    }

    /// The scopes that `list` names, separated by commas.
    public static func set(of list: String) throws(Unknown) -> Set<Scope> {
        var scopes: Set<Scope> = []
        for word in list.split(separator: ",", omittingEmptySubsequences: false) {
            guard let scope = Scope(rawValue: String(word)) else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                throw Unknown(description: "'\(word)' is no scope; there are \(known)")
            }
            scopes.insert(scope)
        }
        return scopes
    }
}
