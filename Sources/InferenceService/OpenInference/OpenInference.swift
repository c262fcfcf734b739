import DIA
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
    static func form(_ head: RequestHead) throws(ServiceError) -> BodyFormat {
        try BodyFormat.of(head, accepted: ["application/json"], hint: "send application/json as the protocol has it")
    }
}
