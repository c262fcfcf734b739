import DIA
import ModelFile

/// The query of a dissolve or heat map request: `t=50,100` and, for heat maps, `overlay=false`.
package struct DissolveQuery {
    /// The steps; without `t`, the model's default step.
    package let steps: [Int]
    /// Whether the map is drawn over the image; true without `overlay`.
    let isOverlay: Bool

    /// Parses `query`; throws if a parameter is unknown, repeated or invalid.
    init(
        _ query: [(name: String, value: String)],
        of model: Model.Information,
        maximumSteps: Int,
        takesOverlay: Bool = false
    ) throws(ServiceError) {
        let part = model.manifest.dissolve
        try self.init(
            query,
            timesteps: part.timesteps,
            standard: part.defaultT,
            maximumSteps: maximumSteps,
            takesOverlay: takesOverlay
        )
    }

    /// Parses `query` for a model of `timesteps` steps with the default step `standard`.
    package init(
        _ query: [(name: String, value: String)],
        timesteps: Int,
        standard: Int,
        maximumSteps: Int,
        takesOverlay: Bool
    ) throws(ServiceError) {
        let names = takesOverlay ? ["t", "overlay"] : ["t"]
        guard query.allSatisfy({ names.contains($0.name) }) else {
            throw ServiceError(400, "the query allows only \(names.map { "'\($0)'" }.joined(separator: " and "))")
        }
        func value(_ name: String) throws(ServiceError) -> String? {
            let values = query.filter { $0.name == name }.map(\.value)
            guard values.count <= 1 else { throw ServiceError(400, "'\(name)' appears more than once") }
            return values.first
        }
        switch try value("overlay") {
        case nil, "true": isOverlay = true
        case "false": isOverlay = false
        default: throw ServiceError(400, "'overlay' must be true or false")
        }
        guard let list = try value("t") else {
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
