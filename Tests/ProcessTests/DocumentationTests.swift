import Foundation
import TestSupport
import Testing

/// Checks that docs/operations.md documents everything an operator can set or see.
@Suite(.timeLimit(.minutes(1))) struct DocumentationTests {
    private static let text: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        return (try? String(contentsOf: root.appendingPathComponent("docs/operations.md"), encoding: .utf8)) ?? ""
    }()

    @Test("Every option is documented with its default")
    func options() throws {
        let help = try Outcome(ServerProcess.executable("dia-server"), ["serve", "--help"]).output
        let names = help.split(separator: "\n").compactMap { line -> String? in
            guard line.hasPrefix("  --") else { return nil }
            return String(line.dropFirst(2).prefix { $0 != " " })
        }
        #expect(names.count > 25)
        for name in names where !["--help", "--version"].contains(name) {
            #expect(Self.text.contains("`\(name)`"), "\(name)")
        }
        // Defaults as printed by the program itself.
        for match in help.matches(of: /--([a-z-]+) <[^>]*>(?:(?!--)[^(])*?\(default: ([^)]*)\)/) {
            let row = Self.text.split(separator: "\n").first { $0.hasPrefix("| `--\(match.1)`") }
            #expect(row?.contains("| \(match.2) |") == true, "\(match.1) is \(match.2)")
        }
    }

    @Test("Every metric is documented")
    func metrics() async throws {
        let server = try ServerProcess()
        let client = try RawClient(port: server.port)
        await client.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = await client.response()
        let text = String(decoding: try #require(await client.response()).body, as: UTF8.self)
        let names = text.split(separator: "\n").compactMap { line in
            line.hasPrefix("# TYPE ") ? String(line.split(separator: " ")[2]) : nil
        }
        #expect(names.count > 15)
        for name in names where !name.hasPrefix("process_") { #expect(Self.text.contains("`\(name)"), "\(name)") }
        #expect(server.stop().status == 0)
    }
}
