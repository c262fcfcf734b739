import Codecs
import Engine
import Foundation
import HTTP
import Imaging
import InferenceService
import ModelFile
import TestSupport
import Testing

/// The form of the lines of a batch response.
@Suite struct BatchFormatTests {
    private let service: DocumentedService

    init() throws { service = DocumentedService(phantom: try Engine.phantom()) }

    private static let png = PNG.encode(
        Image(height: 8, width: 8, channels: 1, samples: (0..<64).map { Float($0) / 64 })
    )

    /// A batch of lines with `ids`, JSON texts; "bad" has an invalid image.
    private func response(
        _ ids: [String],
        _ query: String = "",
        accept: [String] = []
    ) async -> Response {
        let image = Data(Self.png).base64EncodedString()
        let lines = ids.map { "{\"id\": \($0), \"image\": \"\($0 == "\"bad\"" ? "AAAA" : image)\"}\n" }
        let body = Array(lines.joined().utf8)
        var headers: HeaderFields = [
            "Host": "a", "Content-Length": String(body.count), "Content-Type": "application/x-ndjson",
        ]
        for value in accept { headers.append("Accept", value) }
        let head = RequestHead(method: "POST", path: "/v1/batch", rawQuery: query, headers: headers)
        return await service.respond(to: Request(head: head, body: body))
    }

    private func pieces(_ response: Response) async throws -> [String] {
        try await response.streamedLines().map { String(decoding: $0, as: UTF8.self) }
    }

    private func objects(_ response: Response) async throws -> [JSONValue] {
        try await pieces(response).map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
    }

    @Test("'fields' chooses the members of each result, also inner ones")
    func fields() async throws {
        let whole = try await objects(response(["1"]))[0]["result"]
        let lines = try await objects(
            response(
                ["1", "\"bad\""],
                "fields=score,image.width,image.height,model,version,index,input_p_value,rendering.bits"
            )
        )
        let result = lines[0]["result"]
        #expect(Set(result.members.keys) == ["score", "image", "model", "input_check", "rendering"])
        #expect(result["score"] == whole["score"] && result["model"] == whole["model"])
        #expect(result["image"] == .object(["width": .number(8), "height": .number(8)]))
        #expect(result["input_check"] == whole["input_check"]["p_value"].map { .object(["p_value": $0]) })
        #expect(result["rendering"] == .null)
        #expect(lines[0]["id"] == .number(1) && lines[0]["index"] == .number(0))
        // An error is complete.
        #expect(lines[1]["error"]["status"] == .number(400) && lines[1]["id"] == .string("bad"))
    }

    @Test(
        "An unknown or repeated field is an error that names the known ones",
        arguments: ["", "score,", "scores", "score,score", "image.", "image.depth", "model.name.x", "Score"]
    )
    func unknownFields(_ list: String) async throws {
        let response = await response(["1"], "fields=\(list)")
        #expect(response.status == 400 && response.stream == nil)
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(text.contains("input_check.p_value") || list == "score,score")
    }

    @Test("Every member of a score can be chosen")
    func allFields() async throws {
        let whole = try await objects(response(["1"], "provenance=true"))[0]["result"]
        for (name, value) in whole.members {
            let names = [name] + (name == "components" ? [] : value.members.keys.map { "\(name).\($0)" })
            for name in names {
                let result = try await objects(response(["1"], "fields=\(name)"))[0]["result"]
                #expect(result.members.count == 1, "\(name)")
            }
        }
    }

    @Test("With Accept: text/csv the response is a table with a header line")
    func table() async throws {
        let response = await response(["1", "\"a,\\\"b\\\"\"", "\"bad\"", "null"], accept: ["text/csv"])
        #expect(response.status == 200 && response.headers["content-type"] == "text/csv; charset=utf-8; header=present")
        let rows = try await pieces(response)
        #expect(
            rows[0] == "id,index,model,version,verdict,score,normality,p_value,anomalous,input_p_value,frame,error\r\n"
        )
        #expect(rows.count == 5 && rows.allSatisfy { $0.hasSuffix("\r\n") })
        let object = try await objects(self.response(["1"]))[0]["result"]
        let cells = rows[1].dropLast().split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        #expect(cells.count == 12 && Array(cells[0..<4]) == ["1", "0", "phantom", "2.0.0"])
        #expect(object["verdict"] == .string(cells[4]))
        #expect(object["score"] == Double(cells[5]).map { .number($0) })
        #expect(object["normality"] == Double(cells[6]).map { .number($0) })
        // An atypical image has neither of them.
        #expect(object["p_value"] == .null && cells[7].isEmpty && cells[8].isEmpty)
        #expect(rows[2].hasPrefix("\"a,\"\"b\"\"\",1,phantom,"))
        #expect(rows[3].hasPrefix("bad,2,,,,,,,,,,") && rows[3].contains("400 the image is not a valid PNG"))
        #expect(rows[4].hasPrefix(",3,phantom,"))
    }

    @Test("The columns of a table are the fields, inner members under names with a point, and lists as JSON")
    func columns() async throws {
        let rows = try await pieces(
            response(["7", "\"bad\""], "fields=threshold,score,index,components.shift", accept: ["text/csv"])
        )
        #expect(rows[0] == "id,threshold.alpha,threshold.normality,score,index,components.shift,error\r\n")
        #expect(rows[1].hasPrefix("7,0.05,-1.42") && rows[1].contains(",0,\"[") && rows[1].hasSuffix("]\",\r\n"))
        #expect(rows[2].hasPrefix("bad,,,,1,,"))
    }

    @Test(
        "The response is CSV only if the client prefers it",
        arguments: [
            (["text/csv"], true), (["*/*"], false), ([], false), (["application/x-ndjson"], false),
            (["text/csv;q=0.5", "application/x-ndjson"], false), (["text/csv;q=0"], false),
            (["application/x-ndjson;q=0.5, text/csv"], true), (["text/csv, */*;q=0.1"], true),
        ] as [([String], Bool)]
    )
    func negotiation(_ accept: [String], _ isTable: Bool) async throws {
        let response = await response(["1"], accept: accept)
        #expect(response.headers["content-type"]?.hasPrefix("text/csv") == isTable)
    }
}
