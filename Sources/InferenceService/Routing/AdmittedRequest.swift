public import HTTP

/// A request whose head was checked: everything that was decided from the head, for the handler.
public struct AdmittedRequest: Sendable {
    /// The request's head.
    let head: RequestHead
    /// The route; nil for `OPTIONS *`.
    let route: Route?
    /// Format of the body; nil for routes without a body.
    let bodyFormat: BodyFormat?
    /// Compression of the body; nil if it is not compressed.
    let coding: ContentCoding?
    /// Time from the end of the request until it times out; of a batch, for each image.
    let timeout: Duration
    /// Time from the start of a batch after which no image is begun, if the client has set one.
    let batchTimeout: Duration?
    /// ID, trace, key and client of the request.
    let context: RequestContext

    /// Whether the body is to be read while it is handled, with ``InferenceService/respond(to:streaming:)``.
    public var streamsBody: Bool { if case .batch? = route { head.method == "POST" } else { false } }

    /// Name of the key that allowed the request; nil if none was needed.
    package var keyName: String? { context.key?.name }

    /// Returns the parameters of the query; see ``QueryParameters/init(_:allowed:ignoringOthers:)``.
    func parameters(_ names: [String], ignoringOthers: Bool = false) throws(ServiceError) -> QueryParameters {
        try QueryParameters(head.query, allowed: names, ignoringOthers: ignoringOthers)
    }
}

/// What happens to a request, decided from its head.
public enum Admission: Sendable {
    /// The response is already known, and the body is not needed.
    case respond(Response)
    /// The body is to be read and passed to ``InferenceService/respond(to:body:)``, or as it arrives to
    /// ``InferenceService/respond(to:streaming:)`` (see ``AdmittedRequest/streamsBody``).
    case admit(AdmittedRequest)
}
