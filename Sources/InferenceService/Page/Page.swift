import OpenSSL
import Foundation
import HTTP

/// Web page for trying the service with images.
enum Page {
    /// The page with its style and script inside.
    ///
    /// Its policy allows only these two, calls to this server, and an icon (Content Security Policy Level 3). Strings
    /// cannot become markup or scripts (Trusted Types).
    static let response: Response = {
        let style = String(decoding: PackageResources.page_css, as: UTF8.self)
        let script = String(decoding: PackageResources.page_js, as: UTF8.self)
        let text = String(decoding: PackageResources.index_html, as: UTF8.self)
            .replacingOccurrences(of: #"<link rel="stylesheet" href="page.css">"#, with: "<style>\(style)</style>")
            .replacingOccurrences(of: #"<script src="page.js"></script>"#, with: "<script>\(script)</script>")
        var response = Response(200, contentType: "text/html; charset=utf-8", body: Array(text.utf8))
        let policy = [
            "default-src 'none'", "script-src '\(digest(of: script))'", "style-src '\(digest(of: style))'",
            "img-src data:", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
            "require-trusted-types-for 'script'", "trusted-types 'none'",
        ]
        response.headers.append("Content-Security-Policy", policy.joined(separator: "; "))
        response.headers.append("Referrer-Policy", "no-referrer")
        response.headers.append("X-Frame-Options", "DENY")
        response.headers.append("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.append("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response
    }()

    /// Returns "sha256-..." of the text of an element.
    private static func digest(of text: String) -> String {
        "sha256-" + Data(SHA256.digest(text.utf8)).base64EncodedString()
    }
}
