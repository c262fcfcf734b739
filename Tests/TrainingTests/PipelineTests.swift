import DIA
import Foundation
import Kernels
import ModelFile
import Synchronization
import TestSupport
import Testing
import Training

/// The whole trainer on a few phantoms.
@Suite struct PipelineTests {
    static let recipe = """
        {
          "name": "tiny", "version": "1", "description": "d", "intended_use": "i", "license": "l", "seed": 5,
          "input": {"channels": 1, "height": 16, "width": 16},
          "diffusion": {
            "dim": 8, "dim_mults": [1, 2], "resolution": 16, "fit": "pad", "timesteps": 1000,
            "beta_schedule": "cosine", "default_t": 200, "batch": 4, "steps": 6, "learning_rate": 0.001,
            "optimizer": "adam", "warm_up_steps": 0, "decay": "constant", "ema_decay": 0.9, "ema_every": 2
          },
          "encoder": {
            "stem": "cifar", "width": 4, "projection": 16, "shifts": "rotation", "batch": 2, "steps": 5,
            "optimizer": "lars", "learning_rate": 0.1, "warm_up_steps": 2, "decay": "cosine", "negatives": "dissolved", "temperature": 0.5,
            "mask": "shifted_removed", "dissolve_from": 30, "dissolve_to": 100, "crop_scale": 0.3, "jitter": 0.4,
            "hue": 0.1, "jitter_probability": 0.8, "grey_probability": 0.2
          },
          "score": {
            "method": "combined", "parts": ["csi", "neighbors.2", "density.3", "residual.20"], "views": 2, "crop_scale": 0.54, "seed": 0, "bank": 8, "calibration_share": 0.4, "alpha": 0.1
          }
        }
        """

    private func recipe(_ text: String = recipe) async throws -> Recipe {
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("recipe.json")
            try Data(text.utf8).write(to: place)
            return try Recipe.load(path: place.path)
        }
    }

    private func data(in folder: URL) throws -> DataSet {
        let place = folder.appendingPathComponent("data").path
        try Phantom(side: 16).writeDataSet(to: place, .init(train: 30, validation: 0, test: 8), seed: 2)
        return try DataSet.load(path: place).data
    }

    @Test("A run makes a model that loads, with its figures; an interrupted one ends with the same bytes")
    func resumes() async throws {
        let recipe = try await recipe()
        try await withTemporaryFolder { folder in
            let data = try data(in: folder)
            func run(_ name: String, threads: Int, _ stop: @escaping @Sendable () -> Bool) throws -> Evaluation? {
                let place = folder.appendingPathComponent(name).path
                return try Pipeline(
                    recipe,
                    data: data,
                    normal: "normal",
                    folder: place,
                    workers: Workers(count: threads),
                    isInterrupted: stop
                ).run()
            }
            let evaluation = try #require(try run("whole", threads: 1) { false })
            #expect(evaluation.normals == 8 && evaluation.anomalies == 8 && (0...1).contains(evaluation.auroc))
            // The other run stops at every third question, and goes on with another number of threads.
            let asked = Mutex(0)
            var rounds = 0
            while rounds < 20 {
                rounds += 1
                do {
                    _ = try run("pieces", threads: 2) {
                        asked.withLock {
                            $0 += 1; return $0 % 3 == 0
                        }
                    }
                    break
                } catch is Interrupted {}
            }
            #expect(rounds > 2 && rounds < 20)
            for file in ["unet", "encoder", "bank", "calibration"] {
                let whole = try Data(contentsOf: folder.appendingPathComponent("whole/\(file).safetensors"))
                let pieces = try Data(contentsOf: folder.appendingPathComponent("pieces/\(file).safetensors"))
                #expect(whole == pieces, "\(file)")
            }
            let place = folder.appendingPathComponent("whole")
            let model = try Model(ModelDirectory(path: place.path), workers: Workers(count: 1))
            #expect(model.information.calibration?.normality.count == 12 && model.information.bankEntries == 8)
            let again = try Report(model, data: data, split: .test, normal: "normal", seed: recipe.seed).evaluation
            #expect(again.auroc == evaluation.auroc && again.aurocInterval == evaluation.aurocInterval)
            // The calibration images' normality, stored, is what the loaded model gives them.
            #expect(model.information.manifest.evaluation != nil)
            let losses = try String(
                contentsOf: place.appendingPathComponent(".training/diffusion.losses.csv"),
                encoding: .utf8
            )
            #expect(losses.split(separator: "\n").count == 7)
            #expect(FileManager.default.fileExists(atPath: place.appendingPathComponent("report.md").path))
        }
    }

    @Test("A checkpoint of another recipe is refused, not used")
    func otherRecipe() async throws {
        let first = try await recipe()
        let second = try await recipe(Self.recipe.replacing("\"batch\": 4", with: "\"batch\": 3"))
        try await withTemporaryFolder { folder in
            let data = try data(in: folder)
            func run(_ recipe: Recipe) throws {
                let place = folder.appendingPathComponent("m").path
                let workers = Workers(count: 1)
                _ = try Pipeline(recipe, data: data, normal: "normal", folder: place, workers: workers).run()
            }
            try run(first)
            #expect(throws: ModelFileError.self) { try run(second) }
        }
    }

    @Test(
        "A recipe with an unknown or impossible member is an error that names it",
        arguments: [
            ("\"seed\": 5", "\"sede\": 5, \"seed\": 5", "sede"), ("\"seed\": 5,", "", "seed"),
            ("\"batch\": 4", "\"batch\": 0", "diffusion.batch"), ("\"batch\": 2", "\"batch\": 1", "encoder.batch"),
            ("\"dim\": 8", "\"dim\": 9", "dissolve.dim"), ("\"dim\": 8", "\"dim\": \"8\"", "diffusion.dim"),
            ("\"optimizer\": \"lars\"", "\"optimizer\": \"newton\"", "encoder.optimizer"),
            ("\"jitter\": 0.4", "\"jitter\": 1.5", "encoder.jitter"),
            ("\"steps\": 6", "\"steps\": -1", "diffusion.steps"),
            ("\"learning_rate\": 0.001", "\"learning_rate\": 0", "diffusion.learning_rate"),
            ("\"dissolve_to\": 100", "\"dissolve_to\": 30", "dissolve_from"),
            ("\"dissolve_to\": 100", "\"dissolve_to\": 2000", "dissolve_from"),
            ("\"calibration_share\": 0.4", "\"calibration_share\": 1", "score.calibration_share"),
            ("\"ema_decay\": 0.9", "\"ema_decay\": 1", "diffusion.ema_decay"),
            ("\"crop_scale\": 0.3", "\"crop_scale\": 0.3, \"hue\": 1", "encoder.hue"),
        ]
    )
    func badRecipe(_ part: String, replacement: String, name: String) async throws {
        do {
            _ = try await recipe(Self.recipe.replacing(part, with: replacement))
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains(name), "\(error)")
        }
    }

    @Test("The committed recipes are sound", arguments: ["phantom", "pneumonia"])
    func committed(_ name: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        #expect(try Recipe.load(path: root.appendingPathComponent("Models/\(name)/recipe.json").path).name == name)
    }
}
