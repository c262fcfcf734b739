/// The result of one image.
public struct Record: Sendable {
    /// Why an image has no score.
    public struct Failure: Error, Sendable, Equatable {
        /// The status of the response; nil if there was none.
        public let status: Int?
        /// The message.
        public let detail: String
        /// The ID of the request in the server's log.
        public let requestID: String?

        /// Creates the failure of an image that was not sent.
        public init(_ detail: String) { (status, self.detail, requestID) = (nil, detail, nil) }

        /// Creates the failure of a request.
        public init(_ error: ClientError) {
            if case .problem(let problem) = error {
                (status, requestID) = (problem.status, problem.requestID)
                detail = problem.detail ?? problem.title
            } else {
                (status, detail, requestID) = (nil, "\(error)", nil)
            }
        }

        /// "422 the image has ...", as in the CSV of the server.
        public var text: String { status.map { "\($0) \(detail)" } ?? detail }
    }

    /// The file.
    public let path: InputPath
    /// The position of the file in the run from 0, and the frame from 1 of a file with several images.
    public let index: Int, frame: Int?
    /// The score, or why there is none.
    public let outcome: Result<ScoreAnswer, Failure>

    /// Creates the record of an image.
    public init(path: InputPath, index: Int, frame: Int? = nil, _ outcome: Result<ScoreAnswer, Failure>) {
        (self.path, self.index, self.frame, self.outcome) = (path, index, frame, outcome)
    }

    /// Whether the image has no score.
    public var isFailure: Bool { if case .failure = outcome { true } else { false } }
    /// Whether the image is anomalous.
    public var isAnomalous: Bool { (try? outcome.get())?.score.isAnomalous == true }
}
