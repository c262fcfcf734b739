import Foundation
import ModelFile
import Neural

/// The state of a training stage between two steps; a run that resumes from it gives bit-identical results.
struct Checkpoint {
    /// The stage and the digest of the recipe that it belongs to.
    let stage: String
    let recipeDigest: String
    /// The number of steps done.
    var step: Int
    /// The stored numbers: parameters, moments, averages.
    var arrays: [String: [Float]]
    /// The loss of each step so far.
    var losses: [Float]

    /// Reads the checkpoint at `path`; nil if the file does not exist.
    ///
    /// Throws an error if it belongs to another stage or recipe.
    static func load(path: String, stage: String, recipeDigest: String) throws -> Checkpoint? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let file = try Safetensors(parsing: Array(data), file: path)
        guard file.metadata["stage"] == stage, let step = file.metadata["step"].flatMap({ Int($0) }), step >= 0 else {
            throw ModelFileError(file: path, reason: "is not a checkpoint of the \(stage) stage")
        }
        guard file.metadata["recipe"] == recipeDigest else {
            throw ModelFileError(
                file: path,
                reason: "belongs to another recipe or data set; remove it to restart the stage"
            )
        }
        var arrays: [String: [Float]] = [:]
        for name in file.names { arrays[name] = try file.floats(name) }
        let losses = arrays.removeValue(forKey: "losses") ?? []
        return Checkpoint(stage: stage, recipeDigest: recipeDigest, step: step, arrays: arrays, losses: losses)
    }

    /// Writes the checkpoint atomically.
    func save(path: String) throws {
        let tensors = (arrays.merging(["losses": losses]) { first, _ in first })
            .sorted { $0.key < $1.key }
            .map { NamedTensor(name: $0.key, shape: [$0.value.count], values: $0.value) }
        let bytes = try SafetensorsEncoder.encode(
            tensors,
            metadata: ["stage": stage, "step": String(step), "recipe": recipeDigest],
            file: path
        )
        try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// Returns the array named `name`, which must have `count` numbers.
    func array(_ name: String, count: Int) throws -> [Float] {
        guard let values = arrays[name], values.count == count else {
            throw ModelFileError(
                file: stage,
                tensor: name,
                reason: "is missing from the checkpoint or has another size"
            )
        }
        return values
    }
}

extension Optimizer {
    /// The moments with their names in a checkpoint.
    var arrays: [String: [Float]] {
        Dictionary(uniqueKeysWithValues: moments.enumerated().map { ("moment.\($0.offset)", $0.element) })
    }

    /// Returns this optimizer with the state stored in `checkpoint`.
    func restored(from checkpoint: Checkpoint) throws -> Optimizer {
        let moments = try moments.enumerated().map {
            try checkpoint.array("moment.\($0.offset)", count: $0.element.count)
        }
        return Optimizer(rule, steps: checkpoint.step, moments: moments)
    }
}
