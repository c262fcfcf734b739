import DIA
import ModelFile

/// The query of a request for dissolved pictures: `t=50,100`, and where it is taken `overlay=false`.
package struct DissolveQuery {
    /// The steps, the model's own without `t`.
    package let steps: [Int]
    /// Whether a map is laid over the image; true without `overlay`.
    let isOverlay: Bool

    /// Reads `query`; a parameter that is unknown, twice there or impossible is an error that names it.
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

    /// The same for a model of `timesteps` whose own step is `standard`.
    package init(
        _ query: [(name: String, value: String)],
        timesteps: Int,
        standard: Int,
        maximumSteps: Int,
        takesOverlay: Bool
    ) throws(ServiceError) {
        let names = takesOverlay ? ["t", "overlay"] : ["t"]
        guard query.allSatisfy({ names.contains($0.name) }) else {
            throw ServiceError(400, "the query takes \(names.map { "'\($0)'" }.joined(separator: " and ")) and no more")
        }
        func value(_ name: String) throws(ServiceError) -> String? {
            let values = query.filter { $0.name == name }.map(\.value)
            guard values.count <= 1 else { throw ServiceError(400, "'\(name)' stands more than once") }
            return values.first
        }
        switch try value("overlay") {
        case nil, "true": isOverlay = true
        case "false": isOverlay = false
        default: throw ServiceError(400, "'overlay' takes true or false")
        }
        guard let list = try value("t") else {
            steps = [standard]
            return
        }
        let words = list.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.filter { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        steps = numbers.compactMap { Int($0) }.filter { (0..<timesteps).contains($0) }
        guard steps.count == words.count else {
            throw ServiceError(400, "'t' takes whole numbers from 0 to \(timesteps - 1), separated by commas")
        }
        guard steps.count <= maximumSteps else {
            throw ServiceError(400, "'t' takes at most \(maximumSteps) step\(maximumSteps == 1 ? "" : "s") here")
        }
    }
}
