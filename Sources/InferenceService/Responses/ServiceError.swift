import Foundation
package import HTTP

/// An error that is sent as problem details (RFC 9457).
package struct ServiceError: Error {
    let status: Int
    let detail: String
    /// The detail for the log: without names from the client, paths, and values of samples.
    let reason: String
    var headers: HeaderFields = [:]

    /// Creates an error; `reason` replaces a `detail` that must not be logged.
    package init(_ status: Int, _ detail: String, reason: String? = nil, headers: HeaderFields = [:]) {
        self.status = status
        self.detail = detail
        self.reason = reason ?? detail
        self.headers = headers
    }

    /// Returns the same error of one image among several, which `name` identifies.
    func of(_ name: String) -> ServiceError {
        ServiceError(status, "\(name): \(detail)", reason: "\(name): \(reason)", headers: headers)
    }

    /// Converts an error of the HTTP layer.
    init(_ error: RequestError) { self.init(error.status, error.reason) }

    /// Body of the response.
    private struct Problem: Encodable {
        let status: Int
        let title, detail, instance: String
        /// Same as `detail`, for Open Inference Protocol clients.
        let error: String
        let requestID: String

        enum CodingKeys: String, CodingKey {
            case status, title, detail, instance, error
            case requestID = "request_id"
        }
    }

    /// Returns the response.
    ///
    /// `instance` identifies the occurrence by the request ID, not by the path, which could contain anything.
    package func response(requestID: String) -> Response {
        let problem = Problem(
            status: status,
            title: Response.reason(status),
            detail: detail,
            instance: "urn:dia:request:\(requestID)",
            error: detail,
            requestID: requestID
        )
        var response = Response(status, contentType: "application/problem+json", body: JSON.encode(problem))
        for field in headers.fields { response.headers.append(field.name, field.value) }
        // The cause of a 503 is temporary, so a client may retry.
        if status == 503, !headers.contains("retry-after") { response.headers.append("Retry-After", "1") }
        return response
    }
}

/// JSON encoding of the service.
enum JSON {
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try Array(encoder.encode(value)) + [0x0A]
        } catch {
            // Only numbers that are not finite cannot be encoded, and those are checked earlier.
            preconditionFailure("a response cannot be encoded as JSON: \(error)")
        }
    }
}
