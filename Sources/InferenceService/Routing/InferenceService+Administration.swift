import DIA
public import Engine
import HTTP
import ModelFile

/// The self-check of a model on demand, and loading it again.
extension InferenceService {
    /// What replaying a golden set found, as a client sees it.
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
        guard let outcome else { throw ServiceError(422, "the model ships no golden set to verify it by") }
        guard outcome.isSound else {
            throw ServiceError(
                503,
                "the model does not give the numbers of its golden set and is out of service: normality is off by "
                    + "\(outcome.normalityDifference) tolerances, dissolving by \(outcome.dissolvedDifference)"
            )
        }
        let object = VerificationObject(
            model: manifest.name,
            version: manifest.version,
            digest: model.digest,
            images: outcome.images,
            normalityDifference: outcome.normalityDifference,
            dissolvedDifference: outcome.dissolvedDifference,
            sound: outcome.isSound
        )
        return json(object)
    }

    /// Loads the model called `name` again from its directory.
    func reload(_ name: String) async throws -> Response {
        do {
            _ = try await engine.reload(name)
        } catch {
            throw ServiceError(422, "the old model goes on serving: \(error)")
        }
        return json(object(try model(name)))
    }

    /// Loads what has changed of all models; returns what was loaded and what was left out.
    ///
    /// Throws, and the old ones go on serving, if one is broken.
    public func reload() async throws -> ModelStore.Outcome { try await engine.reload() }
}
