import DIA
package import Foundation
import ModelFile

/// An error in a recipe.
public struct RecipeError: Error, Equatable, CustomStringConvertible {
    /// The member, and what is wrong with it.
    public let description: String

    init(_ reason: String) { description = "recipe: \(reason)" }
}

extension Recipe {
    /// Reads a recipe; throws an error that names an unknown, missing or invalid member.
    public static func load(path: String) throws -> Recipe {
        guard let file = FileManager.default.contents(atPath: path) else { throw RecipeError("\(path) cannot be read") }
        do {
            return try parse(file)
        } catch let error as RecipeError {
            throw error
        } catch {
            throw RecipeError(DecodingFailure(error, in: RecipeComments.removed(from: file)).description)
        }
    }

    /// Parses the recipe in `file`, which may have comments.
    package static func parse(_ file: Data) throws -> Recipe {
        let data = RecipeComments.removed(from: file)
        // The decoder ignores unknown members. They are reported before missing ones, because a misspelled member is both.
        if let unknown = unknownMember(in: data) { throw RecipeError("unknown member '\(unknown)'") }
        let recipe = try JSONDecoder().decode(Recipe.self, from: data)
        try recipe.validate()
        return recipe
    }

    /// Returns the path of the first unknown member; nil if there is none or `data` is not a JSON object.
    private static func unknownMember(in data: Data) -> String? {
        guard case .object(let members)? = try? JSONDecoder().decode(JSONValue.self, from: data) else { return nil }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            guard CodingKeys(rawValue: name) != nil else { return name }
            guard let known = sections[name], case .object(let section) = value else { continue }
            if let unknown = section.keys.sorted().first(where: { !known.contains($0) }) { return "\(name).\(unknown)" }
        }
        return nil
    }

    /// The names of the members of each section.
    private static let sections: [String: [String]] = [
        "input": Input.CodingKeys.allCases.map(\.rawValue), "diffusion": Diffusion.CodingKeys.allCases.map(\.rawValue),
        "encoder": Encoder.CodingKeys.allCases.map(\.rawValue), "score": Score.CodingKeys.allCases.map(\.rawValue),
        "rendering": Rendering.CodingKeys.allCases.map(\.rawValue),
    ]

    private func validate() throws(RecipeError) {
        do {
            // The manifest has limits for most members.
            let manifest = manifest(files: [:])
            try manifest.validate()
            _ = try manifest.scoreParts()
        } catch {
            throw RecipeError(error.reason)
        }
        func require(_ holds: Bool, _ rule: String) throws(RecipeError) {
            guard holds else { throw RecipeError(rule) }
        }
        try require((1...4096).contains(diffusion.batch), "diffusion.batch must be from 1 to 4096")
        try require((0...10_000_000).contains(diffusion.steps), "diffusion.steps must be from 0 to 10,000,000")
        try require((2...1024).contains(encoder.batch), "encoder.batch must be from 2 to 1024")
        try require((0...10_000_000).contains(encoder.steps), "encoder.steps must be from 0 to 10,000,000")
        for (rate, name) in [(diffusion.learningRate, "diffusion"), (encoder.learningRate, "encoder")] {
            try require(rate.isFinite && rate > 0, "\(name).learning_rate must be positive")
        }
        try require(diffusion.emaDecay >= 0 && diffusion.emaDecay < 1, "diffusion.ema_decay must be in [0, 1)")
        try require(diffusion.emaEvery >= 1, "diffusion.ema_every must be positive")
        for (steps, name) in [(diffusion.warmUpSteps, "diffusion"), (encoder.warmUpSteps, "encoder")] {
            try require((0...10_000_000).contains(steps), "\(name).warm_up_steps must be from 0 to 10,000,000")
        }
        try require(encoder.temperature.isFinite && encoder.temperature > 0, "encoder.temperature must be positive")
        try require(
            encoder.dissolveFrom >= 0 && encoder.dissolveFrom < encoder.dissolveTo
                && encoder.dissolveTo <= diffusion.timesteps,
            "encoder.dissolve_from must be less than dissolve_to, and dissolve_to at most the timesteps"
        )
        try require(encoder.cropScale > 0 && encoder.cropScale <= 1, "encoder.crop_scale must be in (0, 1]")
        try require(encoder.jitter >= 0 && encoder.jitter < 1, "encoder.jitter must be in [0, 1)")
        try require(encoder.hue >= 0 && encoder.hue <= 0.5, "encoder.hue must be in [0, 0.5]")
        for (value, name) in [(encoder.jitterProbability, "jitter"), (encoder.grayProbability, "gray")] {
            try require(value >= 0 && value <= 1, "encoder.\(name)_probability must be in [0, 1]")
        }
        try require(score.variation >= 0 && score.variation <= 1000, "score.variation must be in [0, 1000]")
        try require((2...1_000_000).contains(score.bank), "score.bank must be from 2 to 1,000,000")
        try require(
            score.calibrationShare > 0 && score.calibrationShare < 1,
            "score.calibration_share must be in (0, 1)"
        )
    }

    /// Returns the manifest of a model trained with this recipe; `files` maps file names to sha256 digests.
    func manifest(files: [String: String]) -> ModelManifest {
        func digest(_ file: String) -> String { files[file] ?? "" }
        var manifest = ModelManifest(
            name: name,
            version: version,
            input: ModelManifest.Input(channels: input.channels, height: input.height, width: input.width),
            dissolve: ModelManifest.Dissolve(
                file: ModelFiles.unet,
                sha256: digest(ModelFiles.unet),
                dim: diffusion.dim,
                dimMults: diffusion.dimMults,
                channels: input.channels,
                resolution: diffusion.resolution,
                fit: diffusion.fit,
                timesteps: diffusion.timesteps,
                betaSchedule: diffusion.betaSchedule,
                defaultT: diffusion.defaultT
            ),
            encoder: ModelManifest.Encoder(
                file: ModelFiles.encoder,
                sha256: digest(ModelFiles.encoder),
                arch: "resnet18",
                stem: encoder.stem,
                width: encoder.width,
                channels: input.channels,
                projection: encoder.projection,
                shifts: encoder.shifts,
                resolution: encoder.resolution,
                equalize: encoder.equalize
            ),
            score: ModelManifest.Score(
                file: ModelFiles.bank,
                sha256: digest(ModelFiles.bank),
                method: score.method,
                parts: score.parts,
                views: score.views,
                cropScale: score.cropScale,
                seed: score.seed
            )
        )
        manifest.description = description
        manifest.intendedUse = intendedUse
        manifest.license = license
        manifest.rendering = rendering.map {
            .object(["photometric": .string($0.photometric.rawValue), "window": .string($0.window.rawValue)])
        }
        manifest.calibration = ModelManifest.Calibration(
            file: ModelFiles.calibration,
            sha256: digest(ModelFiles.calibration),
            alpha: score.alpha
        )
        return manifest
    }
}

/// The names of the files in a model directory.
enum ModelFiles {
    static let unet = "unet.safetensors"
    static let encoder = "encoder.safetensors"
    static let bank = "bank.safetensors"
    static let calibration = "calibration.safetensors"
    static let golden = "golden.safetensors"
}
