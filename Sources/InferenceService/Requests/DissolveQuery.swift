import DIA
import ModelFile

/// The query of a dissolve or heat map request: `t=50,100` and, for heat maps, `overlay=false` and `of=score`.
package struct DissolveQuery {
    /// The steps; without `t`, the model's default step.
    package let steps: [Int]
    /// Whether the map is drawn over the image; true without `overlay`.
    let isOverlay: Bool
    /// Whether the map shows where the score comes from, `of=score`, and not what dissolving has changed.
    let isOfScore: Bool

    /// The names of the parameters, without those of ``Rendering``.
    static func names(ofHeatMap isHeatMap: Bool) -> [String] { isHeatMap ? ["t", "overlay", "of"] : ["t"] }

    /// Reads the parameters of a request for `model`; throws if one is invalid.
    init(_ parameters: QueryParameters, of model: Model.Information, maximumSteps: Int) throws(ServiceError) {
        let part = model.manifest.dissolve
        try self.init(parameters, timesteps: part.timesteps, standard: part.defaultT, maximumSteps: maximumSteps)
    }

    /// Reads the parameters for a model of `timesteps` steps with the default step `standard`.
    package init(
        _ parameters: QueryParameters,
        timesteps: Int,
        standard: Int,
        maximumSteps: Int
    ) throws(ServiceError) {
        isOverlay = try parameters.boolean("overlay") ?? true
        switch parameters["of"] ?? "dissolve" {
        case "dissolve": isOfScore = false
        case "score": isOfScore = true
        default: throw ServiceError(400, "'of' must be 'dissolve' or 'score'")
        }
        guard !isOfScore || parameters["t"] == nil else {
            throw ServiceError(400, "'t' has no meaning with of=score")
        }
        guard let list = parameters["t"] else {
            steps = [standard]
            return
        }
        let words = list.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.filter { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        steps = numbers.compactMap { Int($0) }.filter { (0..<timesteps).contains($0) }
        guard steps.count == words.count else {
            throw ServiceError(400, "'t' must be integers from 0 to \(timesteps - 1), separated by commas")
        }
        guard steps.count <= maximumSteps else {
            throw ServiceError(400, "'t' must have at most \(maximumSteps) step\(maximumSteps == 1 ? "" : "s")")
        }
    }
}
