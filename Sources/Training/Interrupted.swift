/// The error when a run was stopped by the user: what was saved, and how to resume.
public struct Interrupted: Error, Equatable, CustomStringConvertible {
    /// What a run was doing when it was stopped.
    public enum Phase: Sendable {
        /// Listing or reading the data.
        case reading
        /// Training a network.
        case training
        /// Scoring images for the bank or for calibration.
        case calibration
        /// Scoring images for the evaluation.
        case evaluation
        /// Comparing the images of a data set.
        case inspection
    }

    /// What the run was doing.
    public let phase: Phase

    /// Creates the error of a run that was stopped during `phase`.
    public init(_ phase: Phase) { self.phase = phase }

    /// The message, with how to resume.
    public var description: String {
        switch phase {
        case .reading:
            "interrupted while reading the data; nothing was changed, run the same command to start again"
        case .training: "interrupted; the checkpoint is saved, run the same command to continue"
        case .calibration:
            "interrupted during calibration; the networks are saved, run the same command to continue with calibration"
        case .evaluation:
            "interrupted during evaluation; the model is complete, run `dia-train evaluate` to evaluate it"
        case .inspection: "interrupted; run the same command to start again"
        }
    }
}
