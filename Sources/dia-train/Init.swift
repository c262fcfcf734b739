public import ArgumentParser
import Console
import Foundation
public import Training

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes a complete recipe for a data set, with an estimate of the time and memory of training."
    )

    @OptionGroup var options: DataOptions

    @Option(help: "The label of the normal images.")
    var normal: String

    @Option(help: "compact, standard or paper.")
    var preset: RecipePreset

    @Option(help: "The recipe to write; a file that exists is not overwritten.")
    var out: String

    @Option(help: "The name of the model.")
    var name: String = "model"

    @Flag(help: "Do not run the networks to estimate time and memory.")
    var skipEstimate = false

    func run() throws {
        guard !FileManager.default.fileExists(atPath: out) else {
            throw DataError(out, "exists; remove it or choose another name")
        }
        let source = try options.list()
        try source.requireLabel(normal)
        let facts = try DataFacts(source, normal: normal, isInterrupted: Interruption.isRequested)
        let normals = source.count(.train, label: normal).labeled
        var comments = ["Written by dia-train init, preset \(preset.rawValue), for \(normals) normal training images."]
        let recipe = try Recipe.parse(text: preset.recipe(for: facts, name: name, comments: []))
        if !skipEstimate {
            let estimate = try RecipeEstimate(
                measuring: recipe,
                normals: normals,
                workers: options.workers(),
                isInterrupted: Interruption.isRequested
            )
            comments += estimate.lines
        }
        let text = preset.recipe(for: facts, name: name, comments: comments)
        try Data(text.utf8).write(to: URL(fileURLWithPath: out), options: .atomic)
        try StandardStream.output.write(comments.joined(separator: "\n") + "\nwritten: \(out)\n")
        if normals < recipe.requiredNormals {
            try StandardStream.output.write(
                "warning: \(recipe.requiredNormals) normal training images are needed with this recipe\n"
            )
        }
    }
}

extension RecipePreset: ExpressibleByArgument {}
