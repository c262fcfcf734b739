import Codecs
import Engine
import Foundation
import HTTP
import InferenceService
import Metrics
import ModelFile
import TestSupport
import Testing

/// Requests of the Open Inference Protocol to a service with one model, and their answers.
struct OpenInferenceClient {
    let service: DocumentedService
    let model: String

    /// A client of a service with the reference model `model`, or with the model in `folder`.
    init(
        _ model: String,
        in folder: URL? = nil,
        _ change: (inout InferenceService.Configuration) -> Void = { _ in }
    ) throws {
        self.model = model
        let metrics = MetricsRegistry()
        let path = (folder ?? ReferenceModels.folder(model)).path
        let engine = try Engine.loaded(Engine.Configuration(), metrics: metrics) { [try ModelDirectory(path: path)] }
        var configuration = InferenceService.Configuration()
        change(&configuration)
        service = DocumentedService(engine, configuration, metrics: metrics)
    }

    /// An answer, with the data of each output as text.
    struct Answer {
        let status: Int
        let error: String
        var outputs: [String: [String]] = [:]
        var headerLength: String?
        var contentType: String?

        func normality() throws -> [Double] {
            try #require(outputs["normality"], "\(error)").map { try #require(Double($0)) }
        }
    }

    func get(_ path: String, method: String = "GET") async throws -> (status: Int, object: JSONValue) {
        let head = RequestHead(method: method, path: path, headers: ["Host": "a", "Content-Length": "0"])
        let response = await service.respond(to: Request(head: head))
        return (response.status, try JSONDecoder().decode(JSONValue.self, from: Data(response.body)))
    }

    /// Returns the normality of a file, from /v1/score.
    func normality(ofFile png: [UInt8], query: String = "") async throws -> Double {
        let headers: HeaderFields = ["Content-Length": String(png.count), "Content-Type": "image/png"]
        let head = RequestHead(method: "POST", path: "/v1/score", rawQuery: query, headers: headers)
        let response = await service.respond(to: Request(head: head, body: png))
        let object = try JSONDecoder().decode(JSONValue.self, from: Data(response.body))
        guard case .number(let normality)? = object["normality"] else { throw CocoaError(.coderInvalidValue) }
        return normality
    }

    /// Returns the answer to a request with `input`, the members of the input other than its name, and `data`.
    func infer(
        _ input: String,
        data: [UInt8]? = nil,
        more: String = "",
        headers: [(String, String)] = [],
        version: String = ""
    ) async throws -> Answer {
        let text = Array("{\"inputs\": [{\"name\": \"image\", \(input)}]\(more)}".utf8)
        let length = data == nil ? [] : [("Inference-Header-Content-Length", String(text.count))]
        return try await send(text + (data ?? []), headers: headers.isEmpty ? length : headers, version: version)
    }

    /// Returns the answer to a request with `body`.
    func send(_ body: [UInt8], headers: [(String, String)], version: String = "") async throws -> Answer {
        var fields: HeaderFields = ["Host": "a", "Content-Length": String(body.count)]
        for (name, value) in headers { fields.append(name, value) }
        let head = RequestHead(method: "POST", path: "/v2/models/\(model)\(version)/infer", headers: fields)
        return try Self.answer(await service.respond(to: Request(head: head, body: body)))
    }

    private static func answer(_ response: Response) throws -> Answer {
        let length = response.headers["inference-header-content-length"]
        let end = try length.map { try #require(Int($0)) } ?? response.body.count
        let object = try JSONDecoder().decode(JSONValue.self, from: Data(response.body.prefix(end)))
        var answer = Answer(status: response.status, error: object["error"]?.text ?? "")
        (answer.headerLength, answer.contentType) = (length, response.headers["content-type"])
        var rest = response.body.dropFirst(end)
        guard case .array(let outputs)? = object["outputs"] else { return answer }
        for output in outputs {
            let name = try #require(output["name"]?.text)
            if case .number(let size)? = output["parameters"]["binary_data_size"] {
                answer.outputs[name] = try elements(rest.prefix(Int(size)), #require(output["datatype"]?.text))
                rest = rest.dropFirst(Int(size))
            } else if case .array(let data)? = output["data"] {
                answer.outputs[name] = data.map(Self.text)
            }
        }
        #expect(rest.isEmpty)
        return answer
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .number(let number): "\(number)"
        case .bool(let value): "\(value)"
        case .string(let text): text
        default: "nan"
        }
    }

    private static func elements(_ data: ArraySlice<UInt8>, _ datatype: String) throws -> [String] {
        var (rest, elements) = (data, [String]())
        func number() -> UInt32 {
            let value = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            rest = rest.dropFirst(4)
            return value
        }
        while !rest.isEmpty {
            switch datatype {
            case "FP32": elements.append("\(Float(bitPattern: number()))")
            case "BOOL": elements.append(rest.removeFirst() == 1 ? "true" : "false")
            default:
                let count = Int(number())
                elements.append(String(decoding: rest.prefix(count), as: UTF8.self))
                rest = rest.dropFirst(count)
            }
        }
        return elements
    }
}
