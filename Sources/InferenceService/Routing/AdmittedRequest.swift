import Codecs
public import HTTP

/// A request whose head was checked: everything that was decided from the head, for the handler.
public struct AdmittedRequest: Sendable {
    /// The request's head.
    let head: RequestHead
    /// The route; nil for `OPTIONS *`.
    let route: Route?
    /// Format of the body; nil for routes without a body.
    let bodyFormat: BodyFormat?
    /// Format of the compressed body; nil if it is not compressed.
    let compression: Gzip.Format?
    /// Time from the end of the request until it times out.
    let timeout: Duration
    /// ID, trace, key and client of the request.
    let context: RequestContext

    /// Returns the parameters of the query; see ``QueryParameters/init(_:allowed:ignoringOthers:)``.
    func parameters(_ names: [String], ignoringOthers: Bool = false) throws(ServiceError) -> QueryParameters {
        try QueryParameters(head.query, allowed: names, ignoringOthers: ignoringOthers)
    }
}

/// What happens to a request, decided from its head.
public enum Admission: Sendable {
    /// The response is already known, and the body is not needed.
    case respond(Response)
    /// The body is to be read and passed to ``InferenceService/respond(to:body:)``.
    case admit(AdmittedRequest)
}
