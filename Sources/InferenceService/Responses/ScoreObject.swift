import Codecs
import DIA
import ModelFile

/// JSON response to a score request.
struct ScoreObject: Encodable {
    let information: Model.Information
    let result: ScoreBank.Result
    let header: PNG.Header
    let requestID: String

    private enum Key: String, CodingKey {
        case model, score, normality, threshold, components, image, anomalous, notice
        case pValue = "p_value"
        case requestID = "request_id"
    }

    private struct ModelName: Encodable { let name, version, digest: String }
    private struct Threshold: Encodable { let alpha, normality: Double }
    private struct Components: Encodable {
        let contrastive, shift: [Double]
        let parts: [String: Double]?
    }
    private struct ImageSize: Encodable {
        let width, height, bitDepth: Int
        let color: String

        enum CodingKeys: String, CodingKey {
            case width, height, color
            case bitDepth = "bit_depth"
        }
    }

    func encode(to encoder: any Encoder) throws {
        let manifest = information.manifest
        let calibration = information.calibration
        let threshold = calibration?.threshold
        let normality = result.normality
        var container = encoder.container(keyedBy: Key.self)
        let name = ModelName(name: manifest.name, version: manifest.version, digest: information.digest)
        try container.encode(name, forKey: .model)
        try container.encode(normality, forKey: .normality)
        // Members without a value are null, not absent.
        try container.encode(calibration?.score(normality), forKey: .score)
        try container.encode(calibration?.pValue(normality), forKey: .pValue)
        try container.encode(threshold.map { normality < $0 }, forKey: .anomalous)
        let shown = calibration.flatMap { part in threshold.map { Threshold(alpha: part.alpha, normality: $0) } }
        try container.encode(shown, forKey: .threshold)
        let names = information.parts.map(\.name)
        let components = Components(
            contrastive: result.csi.contrastive,
            shift: result.csi.shift,
            parts: names.isEmpty ? nil : Dictionary(zip(names, result.parts)) { first, _ in first }
        )
        try container.encode(components, forKey: .components)
        let size = ImageSize(
            width: header.width,
            height: header.height,
            bitDepth: header.bitDepth,
            color: header.color.rawValue
        )
        try container.encode(size, forKey: .image)
        try container.encode(Model.notice, forKey: .notice)
        try container.encode(requestID, forKey: .requestID)
    }
}
