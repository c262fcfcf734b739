import DIA
import Engine
import ModelFile

/// JSON description of a model.
struct ModelObject: Encodable {
    let information: Model.Information
    let isDefault: Bool
    /// How the latest images differ from the calibration images; empty without a calibration.
    let drift: [DriftQuantity: Drift]
    let limits: Limits

    /// Limits of requests.
    struct Limits: Encodable, Sendable {
        let bodyBytes, pixels, queue, batch: Int
        let timeoutSeconds: Double

        enum CodingKeys: String, CodingKey {
            case pixels, queue, batch
            case bodyBytes = "body_bytes"
            case timeoutSeconds = "timeout_seconds"
        }
    }

    private enum Key: String, CodingKey {
        case name, version, digest, description, license, input, calibration, evaluation, limits, dissolve, score
        case notice, rendering, drift
        case intendedUse = "intended_use"
        case isDefault = "default"
    }

    private struct Calibration: Encodable {
        let alpha: Double
        let images: Int
        let threshold: Double?
    }

    private struct DriftObject: Encodable {
        let images: Int
        let statistic, threshold: Double
        let detected: Bool

        init(_ drift: Drift) {
            images = drift.images
            (statistic, threshold) = (drift.statistic, drift.threshold)
            detected = drift.isDetected
        }
    }

    private struct Dissolve: Encodable {
        let timesteps, defaultT: Int

        enum CodingKeys: String, CodingKey {
            case timesteps
            case defaultT = "default_t"
        }
    }

    private struct Score: Encodable {
        let method: String
        let parts: [String]?
        let views, bank: Int
        let hasMap: Bool

        enum CodingKeys: String, CodingKey {
            case method, parts, views, bank
            case hasMap = "map"
        }
    }

    func encode(to encoder: any Encoder) throws {
        let manifest = information.manifest
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(manifest.name, forKey: .name)
        try container.encode(manifest.version, forKey: .version)
        try container.encode(information.digest, forKey: .digest)
        try container.encode(isDefault, forKey: .isDefault)
        try container.encodeIfPresent(manifest.description, forKey: .description)
        try container.encodeIfPresent(manifest.intendedUse, forKey: .intendedUse)
        try container.encodeIfPresent(manifest.license, forKey: .license)
        try container.encode(manifest.input, forKey: .input)
        let dissolve = Dissolve(timesteps: manifest.dissolve.timesteps, defaultT: manifest.dissolve.defaultT)
        try container.encode(dissolve, forKey: .dissolve)
        let score = Score(
            method: manifest.score.method,
            parts: manifest.score.parts,
            views: manifest.score.views,
            bank: information.bankEntries,
            hasMap: information.hasScoreMap
        )
        try container.encode(score, forKey: .score)
        try container.encodeIfPresent(manifest.rendering, forKey: .rendering)
        let calibration = information.calibration.map {
            Calibration(alpha: $0.alpha, images: $0.normality.count, threshold: $0.threshold)
        }
        try container.encode(calibration, forKey: .calibration)
        let drift = Dictionary(uniqueKeysWithValues: drift.map { ($0.key.rawValue, DriftObject($0.value)) })
        try container.encode(drift.isEmpty ? nil : drift, forKey: .drift)
        try container.encode(manifest.evaluation, forKey: .evaluation)
        try container.encode(limits, forKey: .limits)
        try container.encode(Model.notice, forKey: .notice)
    }
}
