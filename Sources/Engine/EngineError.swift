/// Why the engine did not run a job.
public enum EngineError: Error, Equatable {
    /// The queue is full or too long for the job's deadline; it will probably be empty in `retryAfter` seconds.
    case busy(retryAfter: Int)
    /// The job's deadline passed while it waited.
    case deadlineExceeded
    /// The job was cancelled: the result is no longer needed.
    case cancelled
    /// The model returned a number that is not finite.
    case notFinite
    /// The model no longer reproduces its golden set.
    case failedVerification
    /// The model for which the image was prepared has been replaced.
    case modelReplaced
}
