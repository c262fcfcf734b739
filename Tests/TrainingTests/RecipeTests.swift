import Foundation
import ModelFile
import Neural
import TestSupport
import Testing
import Training

/// Recipes with comments, defaults, and from presets.
@Suite struct RecipeTests {
    @Test("A recipe needs only a name and an input; the other members have defaults that depend on the input")
    func defaults() throws {
        func recipe(_ height: Int, _ width: Int) throws -> Recipe {
            try Recipe.parse(
                text: #"{"name": "m", "input": {"channels": 1, "height": \#(height), "width": \#(width)}}"#
            )
        }
        let small = try recipe(28, 28)
        #expect(small.diffusion.resolution == 28 && small.diffusion.fit == .pad && small.encoder.stem == .cifar)
        #expect(
            small.version == "1.0.0" && small.seed == 0
                && small.score.parts == ["density.3", "neighbors.3", "change.3.100"]
        )
        let large = try recipe(224, 200)
        #expect(large.diffusion.resolution == 64 && large.diffusion.fit == .resize && large.encoder.stem == .imagenet)
        #expect(large.encoder.shifts == .cutperm)
    }

    @Test("Given members replace defaults, and the parts follow the method")
    func givenMembers() throws {
        let input = #""input": {"channels": 1, "height": 28, "width": 28}"#
        let recipe = try Recipe.parse(
            text: #"{"name": "m", \#(input), "diffusion": {"steps": 7, "resolution": 32}, "score": {"method": "csi"}}"#
        )
        #expect(recipe.diffusion.steps == 7 && recipe.diffusion.resolution == 32 && recipe.diffusion.batch == 32)
        #expect(recipe.score.method == "csi" && recipe.score.parts == nil)
    }

    @Test("The default parts fit a noise schedule of any length")
    func defaultParts() throws {
        let input = #""input": {"channels": 1, "height": 28, "width": 28}"#
        let short = try Recipe.parse(
            text:
                #"{"name": "m", \#(input), "diffusion": {"timesteps": 50, "default_t": 9}, "encoder": {"dissolve_from": 1, "dissolve_to": 5}}"#
        )
        #expect(short.score.parts == ["density.3", "neighbors.3", "change.3.5"])
        #expect(throws: RecipeError.self) {
            try Recipe.parse(text: #"{"name": "m", \#(input), "encoder": {"resolution": 29}}"#)
        }
        #expect(throws: (any Error).self) {
            try Recipe.parse(text: #"{"name": "m", \#(input), "encoder": {"resolution": null}}"#)
        }
    }

    @Test("null is not a default but an error that names the member")
    func null() {
        do {
            _ = try Recipe.parse(
                text: #"{"name": "m", "input": {"channels": 1, "height": 28, "width": 28}, "seed": null}"#
            )
            Issue.record("null was accepted")
        } catch {
            #expect("\(error)".contains("seed"), "\(error)")
        }
    }

    @Test(
        "Comments are ignored, but not in strings",
        arguments: [
            ("{} // end", "{}       "), ("// a\n{}", "    \n{}"), (#"{"a": "//"}"#, #"{"a": "//"}"#),
            (#"{"a": "\"//"} // "#, #"{"a": "\"//"}    "#), ("1 / 2", "1 / 2"), ("/", "/"), ("//", "  "),
        ]
    )
    func comments(_ text: String, expected: String) {
        #expect(String(decoding: RecipeComments.removed(from: Data(text.utf8)), as: UTF8.self) == expected)
    }

    @Test("An error in a recipe with comments still names the member")
    func errorWithComments() async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("recipe.json")
            let text = """
                { // A comment.
                  "name": "m", "input": {"channels": 1, "height": 28, "width": 28}, "seed": -1 }
                """
            try Data(text.utf8).write(to: place)
            do {
                _ = try Recipe.load(path: place.path)
                Issue.record("the recipe was accepted")
            } catch {
                #expect("\(error)".contains("seed"), "\(error)")
            }
        }
    }

    @Test(
        "A preset's recipe is valid for data of any size and color, and complete",
        arguments: RecipePreset.allCases,
        [8, 28, 33, 64, 130, 2000]
    )
    func presets(_ preset: RecipePreset, side: Int) throws {
        for isColor in [false, true] {
            let text = preset.recipe(for: DataFacts(side: side, isColor: isColor), name: "m", comments: ["A comment."])
            let recipe = try Recipe.parse(text: text)
            #expect(recipe.input.channels == (isColor ? 3 : 1) && recipe.input.height <= side)
            let encoded = try JSONSerialization.jsonObject(with: JSONEncoder().encode(recipe)) as? [String: Any]
            let json = RecipeComments.removed(from: Data(text.utf8))
            let written = try JSONSerialization.jsonObject(with: json) as? [String: Any]
            for (key, value) in encoded ?? [:] {
                guard let members = value as? [String: Any] else {
                    #expect(written?[key] != nil, "\(key)")
                    continue
                }
                let section = written?[key] as? [String: Any]
                for member in members.keys { #expect(section?[member] != nil, "\(key).\(member)") }
            }
        }
    }

    @Test("Presets have the paper's networks and the sizes that they promise")
    func presetNumbers() throws {
        func recipe(_ preset: RecipePreset, _ side: Int) throws -> Recipe {
            try Recipe.parse(text: preset.recipe(for: DataFacts(side: side, isColor: false), name: "m", comments: []))
        }
        #expect(try recipe(.compact, 500).input.height == 32 && recipe(.compact, 28).diffusion.resolution == 28)
        let standard = try recipe(.standard, 500)
        #expect(standard.input.height == 64 && standard.diffusion.resolution == 64 && standard.encoder.width == 24)
        let paper = try recipe(.paper, 500)
        #expect(paper.diffusion.dim == 64 && paper.diffusion.dimMults == [1, 2, 4, 8] && paper.encoder.width == 64)
        #expect(paper.input.height == 224 && paper.diffusion.resolution == 32 && paper.encoder.stem == .imagenet)
        #expect(try recipe(.paper, 28).diffusion.fit == .pad)
    }

    @Test("Too few normal images are an error that says how many are needed for what")
    func tooFew() throws {
        let recipe = try Recipe.parse(text: #"{"name": "m", "input": {"channels": 1, "height": 28, "width": 28}}"#)
        #expect(recipe.requiredNormals == 127)
        #expect(throws: Never.self) { try recipe.requireEnough(normals: 127) }
        do {
            try recipe.requireEnough(normals: 126)
            Issue.record("126 images were enough")
        } catch {
            #expect(error.description.contains("126 normal images, but this recipe needs 127"))
            #expect(error.description.contains("at least 19 for calibration"))
        }
    }

    @Test("The recipe is copied to the model directory with its comments")
    func copied() async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("mine.json")
            let text = Data("{} // comment".utf8)
            try text.write(to: place)
            let model = folder.appendingPathComponent("new/model")
            try Recipe.copyFile(from: place.path, toModel: model.path)
            #expect(try Data(contentsOf: model.appendingPathComponent("recipe.json")) == text)
        }
    }

    @Test("An estimate runs the networks and counts all steps")
    func estimate() throws {
        let text = """
            {"name": "m", "input": {"channels": 1, "height": 8, "width": 8},
             "diffusion": {"dim": 8, "dim_mults": [1], "batch": 2, "steps": 1000}, "encoder": {"width": 4, "batch": 2},
             "score": {"views": 1}}
            """
        let recipe = try Recipe.parse(text: text)
        let estimate = try RecipeEstimate(measuring: recipe, normals: 100, workers: ThreadPool(count: 1))
        #expect(estimate.diffusionStep > 0 && estimate.encoderStep > 0 && estimate.scoredImage > 0)
        // 15 images for calibration, and 85 for the bank with 4 varied copies each.
        #expect(estimate.scoredImages == 440 && estimate.memory > 1_000_000)
        let steps = 1000 * estimate.diffusionStep + 400 * estimate.encoderStep + 440 * estimate.scoredImage
        #expect(abs(estimate.total - steps) < 1e-6 * steps)
        #expect(throws: Interrupted.self) {
            try RecipeEstimate(measuring: recipe, normals: 1, workers: ThreadPool(count: 1), isInterrupted: { true })
        }
    }
}
