import Codecs
import Engine
import Foundation
import HTTP
import Imaging
import InferenceService
import Metrics
import ModelFile
import OpenSSL
import TestSupport
import Testing

/// Requests for every operation of openapi.yaml that provoke each of its statuses.
@Suite struct DocumentedStatusTests {
    private let document: OpenAPIDocument
    private let png = PNG.encode(Image(height: 28, width: 28, channels: 1, filledWith: 1))

    init() throws { document = try OpenAPIDocument.served.get() }

    /// A request to be changed, for an operation.
    private struct Call {
        var path: String
        var headers: [(name: String, value: String)] = [("Host", "a")]
        var body: [UInt8] = []

        /// A request for `operation` with a valid body, for the model `model` if the path takes one.
        init(_ operation: OpenAPIDocument.Operation, _ document: OpenAPIDocument, model: String, png: [UInt8]) throws {
            path = operation.path.replacing("{model}", with: model).replacing("{version}", with: "2.0.0")
            guard let documented = operation.object["requestBody"] else { return }
            let content = try document.resolved(documented)["content"].members
            let text = Data(png).base64EncodedString()
            let type: String
            if content["image/png"] != nil {
                (type, body) = ("image/png", png)
            } else if content["application/x-ndjson"] != nil {
                (type, body) = ("application/x-ndjson", Array("{\"image\": \"\(text)\"}\n".utf8))
            } else {
                type = "application/json"
                let input = "{\"name\": \"image\", \"datatype\": \"BYTES\", \"shape\": [1], \"data\": [\"\(text)\"]}"
                body = Array("{\"inputs\": [\(input)]}".utf8)
            }
            headers += [("Content-Type", type), ("Content-Length", String(body.count))]
        }

        func adding(_ name: String, _ value: String) -> Call {
            var call = self
            call.headers.append((name, value))
            return call
        }

        /// The status of the response, which is decided as by the server: from the head if possible.
        func status(_ method: String, _ service: DocumentedService) async throws -> Int {
            var fields: HeaderFields = [:]
            for (name, value) in headers { fields.append(name, value) }
            let head = RequestHead(method: method, path: path, headers: fields)
            if let early = service.earlyResponse(to: head) { return early.status }
            let response = await service.respond(to: Request(head: head, body: body))
            while try await response.stream?.next() != nil {}
            return response.status
        }
    }

    /// Services in the states that the statuses require.
    private struct Services {
        let usual, loading, withoutDefault, small, guarded: DocumentedService
        /// Its model's results are not finite for a white image, and its directory has become invalid.
        let broken: DocumentedService

        init(_ folder: URL) throws {
            let engine = try Engine.phantom()
            usual = DocumentedService(phantom: engine)
            loading = DocumentedService(
                phantom: Engine(Engine.Configuration(), metrics: MetricsRegistry()) {
                    ModelListing(directories: [])
                }
            )
            withoutDefault = DocumentedService(phantom: engine) { $0.defaultModel = "other" }
            small = DocumentedService(phantom: engine) { $0.bodyBytes = 1 << 10 }
            let keys = [
                APIKeys.Key(name: "score", scopes: [.score], rate: nil, secret: "score"),
                APIKeys.Key(name: "metrics", scopes: [.metrics], rate: nil, secret: "metrics"),
                APIKeys.Key(name: "slow", scopes: [.score, .metrics, .admin], rate: 0.001, secret: "slow"),
            ]
            let parsed = try APIKeys(parsing: keys.map(\.line).joined(separator: "\n"))
            guarded = DocumentedService(phantom: engine) { $0.keys = parsed }
            broken = DocumentedService(phantom: try DocumentedStatusTests.notFinite(in: folder))
            try Data("{".utf8).write(to: folder.appendingPathComponent("phantom/model.json"))
        }
    }

    @Test("Every documented status of every operation occurs, and no other")
    func statuses() async throws {
        try await withTemporaryFolder { folder in
            let services = try Services(folder)
            for operation in document.operations {
                let found = try await statuses(of: operation, services)
                #expect(found == operation.statuses, "\(operation.method) \(operation.path)")
            }
        }
    }

    private func statuses(of operation: OpenAPIDocument.Operation, _ services: Services) async throws -> Set<Int> {
        let call = try Call(operation, document, model: "phantom", png: png)
        var withoutLength = call
        withoutLength.headers.removeAll { $0.name == "Content-Length" }
        var bomb = call.adding("Content-Encoding", "gzip")
        bomb.body = Gzip.compress(Array(repeating: 0, count: 1 << 20))
        let unknown = try Call(operation, document, model: "other", png: png)
        let slow = call.adding("Authorization", "Bearer slow")
        let calls: [(Call, DocumentedService)] = [
            (call, services.usual),
            (call.adding("X-Request-Timeout", "soon"), services.usual),
            (call.adding("Content-Encoding", "br"), services.usual),
            (withoutLength, services.usual),
            (unknown, services.withoutDefault),
            (bomb, services.small),
            (call, services.guarded),
            (call.adding("Authorization", "Bearer score"), services.guarded),
            (call.adding("Authorization", "Bearer metrics"), services.guarded),
            (slow, services.guarded), (slow, services.guarded),
            (call, services.loading),
            (call, services.broken),
        ]
        var found: Set<Int> = []
        for (call, service) in calls { found.insert(try await call.status(operation.method, service)) }
        return found
    }

    /// An engine for a model named "phantom" in `folder` that is finite for a black image only.
    private static func notFinite(in folder: URL) throws -> Engine {
        let place = folder.appendingPathComponent("phantom")
        try FileManager.default.copyItem(at: ReferenceModels.folder("gray-pad"), to: place)
        let manifest = place.appendingPathComponent("model.json")
        var text = try String(contentsOf: manifest, encoding: .utf8)
            .replacing("\"name\": \"gray-pad\"", with: "\"name\": \"phantom\"")
            .replacing("\"version\": \"1\"", with: "\"version\": \"2.0.0\"")
        // Black is -1 for the U-Net and 0 for the encoder, so the first layer's output is 0 for black.
        let large: Float = 3e38
        for (file, weight, bias) in [
            ("unet.safetensors", "init_conv.weight", "init_conv.bias"), ("encoder.safetensors", "conv1.weight", ""),
        ] {
            let url = place.appendingPathComponent(file)
            let original = try Array(Data(contentsOf: url))
            let tensors = try Safetensors(parsing: original, file: file)
            let changed = try tensors.names.map { name in
                let shape = try #require(tensors.shape(of: name))
                var values = try tensors.floats(name)
                if name == weight {
                    // Only the center of each kernel.
                    let taps = shape[2] * shape[3]
                    values = values.indices.map { $0 % taps == taps / 2 ? large : 0 }
                }
                if name == bias { values = values.map { _ in large } }
                return NamedTensor(name: name, shape: shape, values: values)
            }
            let bytes = try SafetensorsEncoder.encode(changed, as: .float32, file: file)
            try Data(bytes).write(to: url)
            text = text.replacing(SHA256.hexadecimal(original), with: SHA256.hexadecimal(bytes))
        }
        try Data(text.utf8).write(to: manifest)
        return try Engine.phantom(at: place)
    }

    @Test("The documented bodies of requests are accepted")
    func requestExamples() async throws {
        let service = DocumentedService(phantom: try Engine.phantom())
        var count = 0
        for operation in document.operations {
            guard let documented = operation.object["requestBody"] else { continue }
            for (type, media) in try document.resolved(documented)["content"].members {
                guard let example = media["example"] else { continue }
                var call = try Call(operation, document, model: "phantom", png: png)
                call.body = try Array(JSONEncoder().encode(example))
                call.headers = [("Content-Type", type), ("Content-Length", String(call.body.count))]
                #expect(try await call.status(operation.method, service) == 200, "\(operation.path)")
                count += 1
            }
        }
        #expect(count == 9)
    }
}

extension Engine {
    /// An engine that has loaded the bundled model `phantom`, which has a calibration and a golden set, or the model at
    /// `place`.
    static func phantom(at place: URL? = nil) throws -> Engine {
        let bundled = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../Models/phantom"
        )
        let path = (place ?? bundled).path
        return try loaded(Engine.Configuration(), metrics: MetricsRegistry()) { [try ModelDirectory(path: path)] }
    }
}

extension DocumentedService {
    /// A service with the default model "phantom".
    init(phantom engine: Engine, _ change: (inout InferenceService.Configuration) -> Void = { _ in }) {
        var configuration = InferenceService.Configuration()
        configuration.defaultModel = "phantom"
        change(&configuration)
        self.init(engine, configuration, metrics: MetricsRegistry())
    }
}
