import Synchronization

/// What can be saved when a run is stopped in the middle of a long step: the state after the previous step.
///
/// Another thread saves it, and then ends the process, because a step cannot be stopped.
public final class StepSnapshot: Sendable {
    /// What ``save()`` has done.
    public enum Outcome: Sendable {
        /// Nothing, because no stage is training.
        case notTraining
        /// Nothing, because steps are short: the stage will soon stop by itself and save its checkpoint.
        case shortStep
        /// The checkpoint was saved.
        case saved
    }

    private enum State {
        case notTraining
        case shortStep
        case longStep(Checkpoint, path: String)
    }

    private let state = Mutex(State.notTraining)

    /// Creates a snapshot of nothing.
    public init() {}

    /// Saves the state after the previous step if the current one is expected to be long.
    public func save() -> Outcome {
        state.withLock { state in
            switch state {
            case .notTraining: return .notTraining
            case .shortStep: return .shortStep
            case .longStep(let checkpoint, let path):
                do {
                    try checkpoint.save(path: path)
                    return .saved
                } catch {
                    // The checkpoint from before is still there.
                    return .notTraining
                }
            }
        }
    }

    /// Announces a short step.
    func beginShortStep() { state.withLock { $0 = .shortStep } }

    /// Announces a long step after `checkpoint`.
    func beginLongStep(after checkpoint: Checkpoint, path: String) {
        state.withLock { $0 = .longStep(checkpoint, path: path) }
    }

    /// Announces that the training has ended.
    func end() { state.withLock { $0 = .notTraining } }
}
