import Foundation
import HTTP

/// A request that is answered with a problem (RFC 9457).
package struct ServiceError: Error {
    let status: Int
    let detail: String
    var headers: HeaderFields = [:]

    init(_ status: Int, _ detail: String, headers: HeaderFields = [:]) {
        self.status = status
        self.detail = detail
        self.headers = headers
    }

    /// The same of an error of the HTTP layer.
    init(_ error: RequestError) { self.init(error.status, error.reason) }

    /// The body of the answer.
    private struct Problem: Encodable {
        let status: Int
        let title, detail, instance: String
        /// The detail again, for Open Inference Protocol clients.
        let error: String
        let requestID: String

        enum CodingKeys: String, CodingKey {
            case status, title, detail, instance, error
            case requestID = "request_id"
        }
    }

    /// The answer.
    ///
    /// `instance` names the occurrence by the request's id, never by its path, which could hold anything.
    func response(requestID: String) -> Response {
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
        return response
    }
}

/// JSON as the service writes it.
enum JSON {
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try Array(encoder.encode(value)) + [0x0A]
        } catch {
            // Only a number that is not finite cannot be encoded, and those are caught before.
            preconditionFailure("an answer that is no JSON: \(error)")
        }
    }
}
