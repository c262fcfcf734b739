import DIA
import HTTP
import ModelFile

/// The Open Inference Protocol, version 2, used by KServe, Triton and their clients.
///
/// There is one input, `image` (BYTES, PNGs in base64); each output has one number per image.
package enum OpenInference {
    /// Server metadata.
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

    /// The outputs; a model without a calibration has only `normality` and `typical`.
    enum Output: String, CaseIterable {
        case normality, score
        case pValue = "p_value"
        case anomalous, verdict, typical

        var datatype: String {
            switch self {
            case .normality, .score, .pValue: "FP32"
            case .anomalous, .typical: "BOOL"
            case .verdict: "BYTES"
            }
        }

        static func of(_ model: Model.Information) -> [Output] {
            allCases.filter { output in
                switch output {
                case .normality, .typical: true
                case .score, .anomalous, .verdict: model.calibration?.threshold != nil
                case .pValue: model.calibration != nil
                }
            }
        }
    }

    /// Model metadata; the number of images is variable.
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

    /// An element of an output.
    enum Element: Encodable {
        /// A number; null if there is none.
        case number(Float?)
        case boolean(Bool)
        case text(String)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .boolean(let value): try container.encode(value)
            case .text(let text): try container.encode(text)
            }
        }
    }

    /// Response to an inference request.
    struct Answer: Encodable {
        struct Values: Encodable {
            let name, datatype: String
            let shape: [Int]
            let data: [Element]
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

    /// Returns the format of a request body; throws if the head is not acceptable.
    static func format(_ head: RequestHead) throws(ServiceError) -> BodyFormat {
        try BodyFormat.of(
            head,
            accepted: ["application/json"],
            hint: "send application/json as defined by the protocol"
        )
    }
}
