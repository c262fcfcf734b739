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
            guard let read = try? BatchInput.parse(line), let image = try? read.image.bytes() else { continue }
            var members = ["image": JSONText(Array(image))]
            if let id = read.id { members["id"] = JSONText(id) }
            let written = "{" + members.map { "\"\($0.key)\": \($0.value.text)" }.joined(separator: ", ") + "}"
            let again = must("a written line can be read again") { try BatchInput.parse(Array(written.utf8)[...]) }
            let same = must("a written image is base64") { try again.image.bytes() } == image && again.id == read.id
            require(same, "a line is the same when read again")
        }
    }
}

/// A value as JSON text.
private struct JSONText {
    let text: String

    init(_ image: [UInt8]) { text = "\"\(Data(image).base64EncodedString())\"" }

    init(_ id: BatchInput.Line.ID) {
        text =
            switch id {
            case .number(let number): "\(number)"
            case .text(let text):
                String(decoding: must("text can be encoded") { try JSONEncoder().encode(text) }, as: UTF8.self)
            }
    }
}
