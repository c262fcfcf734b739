/// Request methods.
enum Method {
    /// Whether `name` is a registered method (IANA, Hypertext Transfer Protocol Method Registry), or QUERY.
    ///
    /// The routes decide which of them a path allows and respond with 405 to the others; a method that is not
    /// recognized is answered with 501 (RFC 9110, section 9.1).
    static func isRegistered(_ name: String) -> Bool { registered.contains(name) }

    private static let registered: Set<String> = [
        // RFC 9110, section 9.3; PATCH is RFC 5789.
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
        "QUERY",
        // WebDAV and its extensions.
        "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "LOCK", "MERGE",
        "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "ORDERPATCH", "PROPFIND",
        "PROPPATCH", "REBIND", "REPORT", "SEARCH", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE",
        "UPDATEREDIRECTREF", "VERSION-CONTROL",
    ]
}
