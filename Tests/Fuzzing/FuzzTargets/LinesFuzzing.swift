import Foundation
import InferenceService

extension FuzzTarget {
    /// NDJSON: lines are ordered slices of the body, and a parsed line can be written and read again.
    static func runLines(_ bytes: [UInt8]) {
        guard let lines = try? BatchInput.lines(bytes) else { return }
        var end = 0
        for line in lines {
            require(line.startIndex >= end && line.endIndex <= bytes.count, "lines are in order")
            require(bytes[line.indices] == line && !line.contains(0x0A), "a line is a slice of the body")
            end = line.endIndex
            let read = BatchInput.parse(line)
            if let id = read.id { check(id, in: line) }
            guard let image = try? read.image.get().bytes() else { continue }
            let text = Data(image).base64EncodedString()
            let id = read.id.map { String(decoding: $0.text, as: UTF8.self) } ?? "null"
            let again = BatchInput.parse(Array("{\"image\": \"\(text)\", \"id\": \(id)}".utf8)[...])
            let same = must("a written image is base64") { try again.image.get().bytes() } == image
            require(same && again.id == read.id, "a line is the same when read again")
        }
    }

    /// An ID is a slice of its line and valid JSON, so that it can be part of a response as it is.
    private static func check(_ id: BatchInput.Line.ID, in line: ArraySlice<UInt8>) {
        require(line[id.text.indices] == id.text, "an ID is a slice of its line")
        require(String(validating: id.text, as: UTF8.self) != nil, "an ID is UTF-8")
        let kind = must("an ID is valid JSON") { () throws(JSONError) in
            var reader = JSONReader(id.text)
            let kind = try reader.kind()
            try reader.skip()
            try reader.end()
            return kind
        }
        require(kind == .string || kind == .number, "an ID is a string or a number")
    }
}
