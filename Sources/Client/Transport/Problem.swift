import Foundation
public import HTTP

/// A response that is an error: problem details (RFC 9457), or what a proxy sends in their place.
public struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// The HTTP status.
    public let status: Int
    /// The name of the status.
    public let title: String
    /// What is wrong; nil if the response does not say so.
    public let detail: String?
    /// The ID of the request in the server's log.
    public let requestID: String?
    /// The seconds after which the server wants the request repeated (Retry-After).
    public let retryAfter: Double?
    /// What the user can do.
    public var advice: String?

    /// The longest text that is taken over from a response.
    private static let longestText = 1000

    private struct Body: Decodable {
        let title, detail, error: String?
        let requestID: String?

        enum CodingKeys: String, CodingKey {
            case title, detail, error
            case requestID = "request_id"
        }
    }

    /// Reads the problem in `response`; `now` is the time in seconds since 1970.
    public init(_ response: Response, now: Double) {
        status = response.status
        let type = MediaType.of(response)
        let isJSON = type == "application/problem+json" || type == "application/json"
        let body = isJSON ? try? JSONDecoder().decode(Body.self, from: Data(response.body)) : nil
        title = Response.reason(response.status)
        let isRedirect = (300..<400).contains(response.status)
        let target = isRedirect ? response.headers["location"].map { "the server redirects to \($0)" } : nil
        detail = (body?.detail ?? body?.error ?? target).map { Self.printable($0) }
        requestID = (body?.requestID ?? response.headers["x-request-id"]).map { Self.printable($0) }
        retryAfter = response.headers["retry-after"].flatMap { RetryAfter.seconds($0, now: now) }
    }

    /// Creates a problem without a response.
    public init(status: Int, detail: String?, requestID: String? = nil, retryAfter: Double? = nil) {
        (self.status, self.detail, self.requestID, self.retryAfter) = (status, detail, requestID, retryAfter)
        title = Response.reason(status)
    }

    /// The status, the detail, the advice and the request ID on one line.
    public var description: String {
        var text = title.hasPrefix("Status") ? title : "\(status) \(title)"
        if let detail { text += ": \(detail)" }
        if let advice { text += "; \(advice)" }
        if let requestID { text += " (request \(requestID))" }
        return text
    }

    /// Returns `text` for a terminal and a line: shortened, and without control characters.
    static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(longestText).map { scalar -> Unicode.Scalar in
            scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                ? " " : scalar
        }
        return String(String.UnicodeScalarView(scalars))
    }
}

/// The type of a response's body.
enum MediaType {
    /// Returns the type without parameters, in lowercase; empty if there is none.
    static func of(_ response: Response) -> String {
        let value = response.headers["content-type"] ?? ""
        return value.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
    }
}
