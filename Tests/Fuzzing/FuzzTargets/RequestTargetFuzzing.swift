import Foundation
import HTTP
import InferenceService

extension FuzzTarget {
    /// Request targets and their queries, as `METHOD target`: decoded parts can be encoded and decoded again.
    static func runRequestTarget(_ bytes: [UInt8]) {
        let words = bytes.split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2 else { return }
        let given = String(decoding: words[0], as: UTF8.self)
        let method = ["OPTIONS", "CONNECT"].contains(given) ? given : "GET"
        guard let target = try? RequestTarget(parsing: words[1], method: method) else { return }
        let text = String(decoding: words[1], as: UTF8.self)
        if method == "CONNECT" {
            require(target.path == text && target.rawQuery.isEmpty, "a CONNECT target is its authority")
            return
        }
        if target.path == "*" {
            require(method == "OPTIONS", "'*' is only valid for OPTIONS")
            return
        }
        require(target.path.utf8.first == UInt8(ascii: "/"), "a path starts with a slash")
        if let route = Route(path: target.path) {
            let slashes = [target.path, route.pattern].map { $0.utf8.count { $0 == UInt8(ascii: "/") } }
            require(slashes[0] == slashes[1], "a path has as many components as its route")
        }
        require(!target.path.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "a path contains no control characters")
        if text.hasPrefix("/") {
            let raw = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)[0]
            let isLeft = target.path == raw && raw.contains("%")
            require(raw.removingPercentEncoding == target.path || isLeft, "a path is decoded once, or left as it is")
        }
        let written = Array(RequestWriter.target(method, target.path, target.rawQuery).utf8)
        let again = must("an encoded path can be decoded") {
            try RequestTarget(parsing: written[...], method: method)
        }
        require(again.path == target.path && again.rawQuery == target.rawQuery, "decoding undoes encoding")
        checkQuery(target)
    }

    private static func checkQuery(_ target: RequestTarget) {
        func query(_ text: String) -> [(name: String, value: String)] {
            RequestHead(method: "GET", path: target.path, rawQuery: text).query
        }
        let pairs = query(target.rawQuery)
        require(pairs.count == target.rawQuery.utf8.split(separator: UInt8(ascii: "&")).count, "one pair per part")
        let written = pairs.map { "\(RequestWriter.escaped($0.name))=\(RequestWriter.escaped($0.value))" }
        require(query(written.joined(separator: "&")).elementsEqual(pairs, by: ==), "pairs survive a round trip")
        guard let parameters = try? QueryParameters(pairs, allowed: ["t", "overlay"] + Rendering.names) else { return }
        _ = try? Rendering(parameters)
        if let read = try? DissolveQuery(parameters, timesteps: 300, standard: 20, maximumSteps: 4) {
            require(read.steps.count <= 4 && read.steps.allSatisfy((0..<300).contains), "steps are in range")
        }
    }
}
