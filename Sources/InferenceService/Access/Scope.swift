/// What a key lets its holder do.
public enum Scope: String, Sendable, CaseIterable {
    /// Scores, dissolved images, and what is known of the models.
    case score
    /// The metrics.
    case metrics
    /// Verifying and reloading models.
    case admin
}
