import Codecs
import DIA
import ModelFile

/// JSON response to a score request.
struct ScoreObject: Encodable {
    let information: Model.Information
    let result: ScoreBank.Result
    let header: PNG.Header
    let check: InputCheck.Result?
    let rendering: Rendering.Object?
    let warnings: [String]
    let requestID: String
    /// What the score was computed from; nil for an image that is not from a file.
    let provenance: Provenance?
    /// Whether ``provenance`` is part of the object.
    let showsProvenance: Bool

    /// The conclusion from the input check and the threshold.
    enum Verdict: String, Encodable {
        case normal, anomalous
        case atypicalInput = "atypical_input"
    }

    /// The anomaly score; nil without a calibration.
    var score: Double? { information.calibration?.score(result.normality) }

    /// Whether the image is like the calibration images; true if that is unknown.
    var isTypical: Bool { check?.isTypical ?? true }

    /// The p-value; nil without a calibration, and for an atypical image.
    var pValue: Double? { isTypical ? information.calibration?.pValue(result.normality) : nil }

    /// The verdict; nil without a threshold.
    var verdict: Verdict? {
        guard let threshold = information.calibration?.threshold else { return nil }
        guard isTypical else { return .atypicalInput }
        return result.normality < threshold ? .anomalous : .normal
    }

    private enum Key: String, CodingKey {
        case model, verdict, rendering, score, normality, threshold, components, image, anomalous, notice, provenance
        case inputCheck = "input_check"
        case pValue = "p_value"
        case requestID = "request_id"
        case resultKey = "result_key"
    }

    private struct ModelName: Encodable { let name, version, digest: String }

    /// The threshold of a calibration.
    struct Threshold: Encodable {
        let alpha, normality: Double

        /// The threshold of `calibration`; nil if it has none.
        init?(_ calibration: Calibration?) {
            guard let calibration, let threshold = calibration.threshold else { return nil }
            (alpha, normality) = (calibration.alpha, threshold)
        }
    }

    private struct Components: Encodable {
        let contrastive, shift: [Double]
        let parts: [String: Double]?
    }
    private struct Check: Encodable {
        let typical: Bool
        let pValue: Double
        let reasons: [String]

        enum CodingKeys: String, CodingKey {
            case typical, reasons
            case pValue = "p_value"
        }
    }
    private struct ImageObject: Encodable {
        let width, height, bitDepth: Int
        let color: String
        let warnings: [String]

        enum CodingKeys: String, CodingKey {
            case width, height, color, warnings
            case bitDepth = "bit_depth"
        }
    }

    func encode(to encoder: any Encoder) throws {
        let manifest = information.manifest
        let normality = result.normality
        var container = encoder.container(keyedBy: Key.self)
        let name = ModelName(name: manifest.name, version: manifest.version, digest: information.digest)
        try container.encode(name, forKey: .model)
        try container.encode(normality, forKey: .normality)
        // Members without a value are null, not absent.
        try container.encode(score, forKey: .score)
        try container.encode(verdict, forKey: .verdict)
        try container.encode(pValue, forKey: .pValue)
        try container.encode(isTypical ? verdict.map { $0 == .anomalous } : nil, forKey: .anomalous)
        let check = check.map { Check(typical: $0.isTypical, pValue: $0.pValue, reasons: $0.reasons) }
        try container.encode(check, forKey: .inputCheck)
        try container.encode(rendering, forKey: .rendering)
        try container.encode(Threshold(information.calibration), forKey: .threshold)
        let names = information.parts.map(\.name)
        let components = Components(
            contrastive: result.csi.contrastive,
            shift: result.csi.shift,
            parts: names.isEmpty ? nil : Dictionary(zip(names, result.parts)) { first, _ in first }
        )
        try container.encode(components, forKey: .components)
        let size = ImageObject(
            width: header.width,
            height: header.height,
            bitDepth: header.bitDepth,
            color: header.color.rawValue,
            warnings: warnings
        )
        try container.encode(size, forKey: .image)
        try container.encode(Model.notice, forKey: .notice)
        try container.encode(requestID, forKey: .requestID)
        try container.encodeIfPresent(provenance?.resultKey, forKey: .resultKey)
        if showsProvenance { try container.encode(provenance, forKey: .provenance) }
    }
}
