import Foundation
import InferenceService

extension FuzzTarget {
    /// NDJSON: the split of the body does not matter, and a parsed line can be written and read again.
    static func runLines(_ bytes: [UInt8]) {
        var pieces = Pieces(of: bytes, longest: 40)
        let lines = lines(of: bytes) { pieces.next() }
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0D]
        let expected = bytes.split(separator: 0x0A).filter { !$0.allSatisfy(blanks.contains) }
        require(
            lines.count == expected.count && Swift.zip(lines, expected).allSatisfy { $0.elementsEqual($1) },
            "the lines"
        )
        for line in lines {
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

    private static func lines(of bytes: [UInt8], by length: () -> Int) -> [ArraySlice<UInt8>] {
        var parser = LineParser(imageBytes: bytes.count)
        var lines: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        repeat {
            let piece = rest.prefix(length())
            rest = rest.dropFirst(piece.count)
            parser.append(Array(piece), isLast: rest.isEmpty)
            while let line = parser.nextLine() { lines.append(line) }
        } while !rest.isEmpty
        return lines
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
