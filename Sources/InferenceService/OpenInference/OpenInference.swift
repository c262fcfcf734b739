import DIA
import HTTP
import ModelFile

/// The Open Inference Protocol, version 2, used by KServe, Triton and their clients.
///
/// There is one input, `image`: PNG files (BYTES), or samples (UINT8, UINT16, FP32). Each output has one value per image.
/// The binary tensor data extension and parts of Triton's other extensions are supported.
package enum OpenInference {
    /// Maximum number of images in a request.
    static let imageLimit = 1000

    /// Server metadata.
    struct Server: Encodable {
        let name = "dia"
        let version: String
        let extensions = [
            "binary_tensor_data", "model_configuration", "model_repository", "parameters", "statistics",
        ]

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

    /// Returns the format of a request body; throws if the head is not acceptable.
    ///
    /// Clients that send binary data declare no Content-Type, or application/octet-stream. Some libraries, and curl,
    /// declare application/x-www-form-urlencoded if their caller declares nothing.
    static func format(_ head: RequestHead) throws(ServiceError) -> BodyFormat {
        let hint = "send application/json or application/octet-stream as defined by the protocol"
        let hasBody = head.headers.contains("content-length") || head.headers.contains("transfer-encoding")
        let fields = head.headers.all("content-type")
        let type = (fields.first ?? "").split(separator: ";").first?.trimmed.lowercased() ?? ""
        if hasBody, fields.count <= 1, BodyFormat.unspecific.contains(type) { return .json }
        return try BodyFormat.of(head, accepted: ["application/json"], hint: hint)
    }
}
