import DIA
public import Engine
import HTTP
import ModelFile

/// Verification and reloading of models.
extension InferenceService {
    /// JSON response with the result of a verification.
    private struct VerificationObject: Encodable {
        let model, version, digest: String
        let images: Int
        let normalityDifference, dissolvedDifference: Double
        let sound: Bool

        enum CodingKeys: String, CodingKey {
            case model, version, digest, images, sound
            case normalityDifference = "normality_difference"
            case dissolvedDifference = "dissolved_difference"
        }
    }

    func verify(_ model: Model.Information) async throws -> Response {
        let manifest = model.manifest
        let outcome = try await engineWork { () async throws(EngineError) in
            try await engine.verify(model)
        }
        guard let outcome else { throw ServiceError(422, "the model does not have a golden set") }
        guard outcome.passed else {
            throw ServiceError(
                503,
                "the model does not reproduce its golden set and is out of service: normality is off by "
                    + "\(outcome.normalityDifference) tolerances, dissolving by \(outcome.dissolvedDifference)",
                headers: ["Retry-After": "60"]
            )
        }
        let object = VerificationObject(
            model: manifest.name,
            version: manifest.version,
            digest: model.digest,
            images: outcome.images,
            normalityDifference: outcome.normalityDifference,
            dissolvedDifference: outcome.dissolvedDifference,
            sound: outcome.passed
        )
        return json(object)
    }

    /// Reloads the model named `name` from its directory.
    func reload(_ name: String) async throws -> Response {
        do {
            _ = try await engine.reload(name)
            metrics.reloaded(succeeded: true)
        } catch {
            metrics.reloaded(succeeded: false)
            throw ServiceError(
                422,
                "the old model stays in use: \(error)",
                reason: "the old model stays in use: the new one is not valid"
            )
        }
        return json(object(try model(name)))
    }

    /// Reloads all models that have changed; returns the loaded and the skipped models.
    ///
    /// If a model is broken, this throws and the old models stay in use.
    public func reload() async throws -> ModelStore.Outcome { try await engine.reload() }

    /// Counts a reload by a signal, which includes keys and certificates.
    public func countReload(succeeded: Bool) { metrics.reloaded(succeeded: succeeded) }
}
