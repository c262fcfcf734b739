import Foundation
import Logging
import StructuredLogging
import Testing

@Suite struct LogTests {
    private let members: Logger.Metadata = [
        "b": "two words", "a": .stringConvertible(3), "c": "line\nbreak \"q\" \u{1B}[31m", "d": "", "e": "x=y",
        "f": .stringConvertible(0.25),
    ]

    @Test("A text line has its members in order, quoted where necessary")
    func text() {
        let line = LogFormat.text.line(.info, "request", members, time: 1_764_000_000.1234)
        #expect(
            line
                == "2025-11-24T16:00:00.123Z info request a=3 b=\"two words\" c=\"line\\nbreak \\\"q\\\" \\u001b[31m\" "
                + "d=\"\" e=\"x=y\" f=0.25\n"
        )
    }

    @Test("A JSON line is one JSON object, with numbers as numbers")
    func json() throws {
        let line = LogFormat.json.line(.warning, "a \"b\"\u{2028}", members, time: 0)
        #expect(line.filter { $0 == "\n" }.count == 1 && line.hasSuffix("}\n"))
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["time"] as? String == "1970-01-01T00:00:00.000Z")
        #expect(object?["level"] as? String == "warning" && object?["message"] as? String == "a \"b\"\u{2028}")
        #expect(object?["a"] as? Int == 3 && object?["f"] as? Double == 0.25)
        #expect(object?["c"] as? String == "line\nbreak \"q\" \u{1B}[31m")
    }

    private func pipe() -> (reader: FileHandle, writer: FileHandle) {
        let pipe = Pipe()
        return (pipe.fileHandleForReading, pipe.fileHandleForWriting)
    }

    @Test("Lines are written complete and in order")
    func order() throws {
        let (reader, end) = pipe()
        let writer = LogWriter(descriptor: end.fileDescriptor) { "\($0) dropped\n" }
        for index in 0..<1000 { writer.write("line \(index)\n") }
        writer.flush()
        try end.close()
        let text = String(decoding: try #require(try reader.readToEnd()), as: UTF8.self)
        #expect(text == (0..<1000).map { "line \($0)\n" }.joined() && writer.dropped == 0)
    }

    @Test("A blocked reader delays nobody; dropped lines are counted and reported")
    func full() throws {
        let (reader, end) = pipe()
        let writer = LogWriter(descriptor: end.fileDescriptor, capacity: 100_000) { "\($0) dropped\n" }
        let line = String(repeating: "x", count: 999) + "\n"
        let start = ContinuousClock.now
        for _ in 0..<1000 { writer.write(line) }
        // A pipe holds 64 KiB and the writer 100 KB; nothing waited for the other 800 KB to be read.
        #expect(ContinuousClock.now - start < .seconds(5))
        let dropped = writer.dropped
        #expect(dropped > 500)
        // Reading lets the writer continue.
        var text = ""
        while text.utf8.count < (1000 - dropped) * 1000 {
            text += String(decoding: reader.availableData, as: UTF8.self)
        }
        writer.write("after\n")
        writer.flush()
        try end.close()
        text += String(decoding: try #require(try reader.readToEnd()), as: UTF8.self)
        let reported = text.matches(of: /([0-9]+) dropped\n/).compactMap { Int($0.1) }.reduce(0, +)
        #expect(text.hasSuffix("after\n") && reported == dropped)
    }

    @Test("A descriptor that cannot be written to loses lines, but the process continues")
    func broken() throws {
        // Every write to it fails as on a full disk.
        guard let full = FileHandle(forWritingAtPath: "/dev/full") else { return }
        let writer = LogWriter(descriptor: full.fileDescriptor) { "\($0) dropped\n" }
        for _ in 0..<10 { writer.write("line\n") }
        writer.flush()
        #expect(writer.dropped == 10)
    }
}
