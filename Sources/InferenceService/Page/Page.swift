import OpenSSL
import Foundation
import HTTP

/// Web page for trying the service with an image.
enum Page {
    /// The page, with a policy that allows only its own script and style and calls to this server (Content Security
    /// Policy Level 3).
    static let response: Response = {
        let text = String(decoding: PackageResources.index_html, as: UTF8.self)
        var response = Response(200, contentType: "text/html; charset=utf-8", body: PackageResources.index_html)
        let policy = [
            "default-src 'none'", "script-src '\(digest(of: "script", in: text))'",
            "style-src '\(digest(of: "style", in: text))'", "img-src blob:", "connect-src 'self'", "base-uri 'none'",
            "form-action 'none'", "frame-ancestors 'none'",
        ]
        response.headers.append("Content-Security-Policy", policy.joined(separator: "; "))
        response.headers.append("Referrer-Policy", "no-referrer")
        response.headers.append("X-Frame-Options", "DENY")
        response.headers.append("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.append("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response
    }()

    /// Returns "sha256-..." of the text inside the one element named `tag`.
    private static func digest(of tag: String, in text: String) -> String {
        let inside = text.components(separatedBy: "<\(tag)>").last?.components(separatedBy: "</\(tag)>").first ?? ""
        return "sha256-" + Data(SHA256.digest(inside.utf8)).base64EncodedString()
    }
}
