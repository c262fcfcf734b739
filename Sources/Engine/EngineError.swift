/// Why the engine did not do a piece of work.
public enum EngineError: Error, Equatable {
    /// The queue is full, or too long for the work's deadline; `retryAfter` seconds are likely to empty it.
    case busy(retryAfter: Int)
    /// The work's deadline passed while it waited.
    case deadlineExceeded
    /// Nobody waits for the result any more.
    case cancelled
    /// The model gave a number that is not finite.
    case notFinite
    /// The model no longer gives the numbers of its golden set.
    case failedVerification
    /// Another model has taken the place of the one that the image was prepared for.
    case modelReplaced
}
