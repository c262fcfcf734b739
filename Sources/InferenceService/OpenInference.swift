import DIA
import Foundation
import HTTP
import ModelFile

/// The Open Inference Protocol, version 2: what KServe, Triton and their clients speak.
///
/// One input, `image` (BYTES, a PNG in base64 each), and outputs of one number an image.
package enum OpenInference {
    /// The server.
    struct Server: Encodable {
        let name = "dia"
        let version: String
        let extensions: [String] = []

        enum CodingKeys: CodingKey {
            case name, version, extensions
        }
    }

    /// A tensor without its data.
    struct Tensor: Encodable {
        let name, datatype: String
        let shape: [Int]
    }

    /// The outputs; those of a model without a calibration are `normality` alone.
    enum Output: String, CaseIterable {
        case normality, score
        case pValue = "p_value"
        case anomalous

        var datatype: String { self == .anomalous ? "BOOL" : "FP64" }

        static func of(_ model: Model.Information) -> [Output] {
            allCases.filter { output in
                switch output {
                case .normality: true
                case .score, .anomalous: model.calibration?.threshold != nil
                case .pValue: model.calibration != nil
                }
            }
        }
    }

    /// A model: any number of images.
    struct Metadata: Encodable {
        let name: String
        let versions: [String]
        let platform = "dia"
        let inputs = [Tensor(name: "image", datatype: "BYTES", shape: [-1])]
        let outputs: [Tensor]

        init(_ model: Model.Information) {
            name = model.manifest.name
            versions = [model.manifest.version]
            outputs = Output.of(model).map { Tensor(name: $0.rawValue, datatype: $0.datatype, shape: [-1]) }
        }

        enum CodingKeys: CodingKey {
            case name, versions, platform, inputs, outputs
        }
    }

    /// A request to score images.
    package struct Request: Decodable {
        package struct Input: Decodable {
            let name, datatype: String
            let shape: [Int]
            let data: [Data]
        }

        struct RequestedOutput: Decodable {
            let name: String
        }

        let id: String?
        let inputs: [Input]
        let outputs: [RequestedOutput]?
    }

    /// The answer to one.
    struct Answer: Encodable {
        struct Values: Encodable {
            let name, datatype: String
            let shape: [Int]
            let numbers: [Double]

            private enum Key: CodingKey {
                case name, datatype, shape, data
            }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Key.self)
                try container.encode(name, forKey: .name)
                try container.encode(datatype, forKey: .datatype)
                try container.encode(shape, forKey: .shape)
                if datatype == "BOOL" {
                    try container.encode(numbers.map { $0 != 0 }, forKey: .data)
                } else {
                    try container.encode(numbers, forKey: .data)
                }
            }
        }

        let modelName, modelVersion: String
        let id: String?
        let parameters = ["notice": Model.notice]
        let outputs: [Values]

        enum CodingKeys: String, CodingKey {
            case id, parameters, outputs
            case modelName = "model_name"
            case modelVersion = "model_version"
        }
    }

    /// How a request comes; an error if its head lacks what it must have.
    static func form(_ head: RequestHead) throws(ServiceError) -> BodyForm {
        try BodyForm.of(head, accepted: ["application/json"], hint: "send application/json as the protocol has it")
    }

    /// The request in `body`, and the PNGs that it holds.
    package static func parse(_ body: [UInt8]) throws(ServiceError) -> (request: Request, images: [[UInt8]]) {
        let request: Request
        do {
            request = try JSONDecoder().decode(Request.self, from: Data(body))
        } catch DecodingError.keyNotFound(let key, let context) {
            throw ServiceError(400, "\(place(context.codingPath)) lacks '\(key.stringValue)'")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            throw ServiceError(400, "\(place(context.codingPath)) is of another type than the protocol's")
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            throw ServiceError(400, "\(place(context.codingPath)) is no base64 (RFC 4648, section 4)")
        } catch {
            throw ServiceError(400, "the body is no JSON")
        }
        guard request.inputs.count == 1, let input = request.inputs.first, input.name == "image" else {
            throw ServiceError(400, "one input called 'image' is expected")
        }
        guard input.datatype == "BYTES" else {
            throw ServiceError(400, "'image' is of datatype BYTES: PNGs in base64")
        }
        guard input.shape == [input.data.count] || input.shape == [input.data.count, 1] else {
            throw ServiceError(400, "the shape of 'image' does not go with its \(input.data.count) images")
        }
        guard (1...BatchInput.limit).contains(input.data.count) else {
            throw ServiceError(input.data.isEmpty ? 400 : 413, "'image' takes 1 to \(BatchInput.limit) images")
        }
        return (request, input.data.map { Array($0) })
    }

    /// Where in a document: numbers and the protocol's own names, never what a client made up.
    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty
            ? "the request" : path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
}
