import Codecs
import DIA
import Foundation
import Imaging
import OpenSSL
import ModelFile
import Synchronization
import TestSupport
import Testing
import Training
import Neural

/// The complete training pipeline on a few phantoms.
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
            "hue": 0.1, "jitter_probability": 0.8, "gray_probability": 0.2
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

    /// Runs `body` with a pipeline for new phantoms, the folder of its model, and its threads.
    private func withPipeline(_ body: (Pipeline, URL, ThreadPool) throws -> Void) async throws {
        let recipe = try await recipe()
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("m")
            let workers = ThreadPool(count: 2)
            let data = try data(in: folder)
            try body(
                Pipeline(recipe, data: data, normal: "normal", folder: place.path, workers: workers),
                place,
                workers
            )
        }
    }

    @Test("A run produces a loadable model and a report; an interrupted run resumes to identical bytes")
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
                    workers: ThreadPool(count: threads),
                    isInterrupted: stop
                ).run()
            }
            let evaluation = try #require(try run("whole", threads: 1) { false })
            #expect(evaluation.normals == 8 && evaluation.anomalies == 8 && (0...1).contains(evaluation.auroc))
            // The other run is interrupted after one more check each time, and resumes with another number of threads.
            var rounds = 0
            while rounds < 40 {
                rounds += 1
                let allowed = rounds
                let asked = Mutex(0)
                do {
                    _ = try run("pieces", threads: 2) {
                        asked.withLock {
                            $0 += 1
                            return $0 > allowed
                        }
                    }
                    break
                } catch is Interrupted {}
            }
            #expect(rounds > 2 && rounds < 40)
            for file in ["unet", "encoder", "bank", "calibration"] {
                let whole = try Data(contentsOf: folder.appendingPathComponent("whole/\(file).safetensors"))
                let pieces = try Data(contentsOf: folder.appendingPathComponent("pieces/\(file).safetensors"))
                #expect(whole == pieces, "\(file)")
            }
            let place = folder.appendingPathComponent("whole")
            let model = try Model(ModelDirectory(path: place.path), workers: ThreadPool(count: 1))
            #expect(model.information.calibration?.normality.count == 12 && model.information.bankEntries == 8)
            let again = try Report(
                model,
                data: data,
                split: .test,
                normal: "normal",
                seed: recipe.seed,
                workers: ThreadPool(count: 2)
            ).evaluation
            #expect(again.auroc == evaluation.auroc && again.aurocInterval == evaluation.aurocInterval)
            // The evaluation is stored in the manifest.
            #expect(model.information.manifest.evaluation != nil)
            let losses = try String(
                contentsOf: place.appendingPathComponent(".training/diffusion.losses.csv"),
                encoding: .utf8
            )
            #expect(losses.split(separator: "\n").count == 7)
            #expect(FileManager.default.fileExists(atPath: place.appendingPathComponent("report.md").path))
        }
    }

    @Test("The bank, the calibration and the evaluation stop when they are interrupted, and say how to resume")
    func interruptedPhases() async throws {
        let recipe = try await recipe()
        try await withTemporaryFolder { folder in
            let data = try data(in: folder)
            let isAsked = Mutex(false)
            let pipeline = try Pipeline(
                recipe,
                data: data,
                normal: "normal",
                folder: folder.appendingPathComponent("m").path,
                workers: ThreadPool(count: 1),
                isInterrupted: { isAsked.withLock { $0 } }
            )
            try pipeline.trainDiffusion()
            try pipeline.trainEncoder()
            isAsked.withLock { $0 = true }
            #expect(throws: Interrupted(.calibration)) { try pipeline.calibrate() }
            isAsked.withLock { $0 = false }
            try pipeline.calibrate()
            isAsked.withLock { $0 = true }
            #expect(throws: Interrupted(.evaluation)) { try pipeline.evaluate() }
            for phase in [Interrupted.Phase.reading, .training, .calibration, .evaluation, .inspection] {
                #expect(Interrupted(phase).description.contains("run "))
            }
        }
    }

    @Test("The state before a long step can be saved during the step, and a run resumes from it to identical bytes")
    func snapshots() async throws {
        let recipe = try await recipe()
        try await withTemporaryFolder { folder in
            let data = try data(in: folder)
            let (whole, resumed) = (folder.appendingPathComponent("whole"), folder.appendingPathComponent("resumed"))
            let snapshot = StepSnapshot()
            let outcomes = Mutex<[StepSnapshot.Outcome]>([])
            func pipeline(_ place: URL, _ recipe: Recipe) throws -> Pipeline {
                try Pipeline(
                    recipe,
                    data: data,
                    normal: "normal",
                    folder: place.path,
                    workers: ThreadPool(count: 1),
                    isInterrupted: {
                        outcomes.withLock { $0.append(snapshot.save()) }
                        return false
                    },
                    snapshot: snapshot
                )
            }
            #expect(snapshot.save() == .notTraining)
            // Another thread that saves all the time, as in the first step, which is assumed to be long.
            let isDone = Mutex(false)
            let saved = Mutex<[Data]>([])
            let path = whole.appendingPathComponent(".training/diffusion.checkpoint.safetensors")
            let saver = Thread {
                while !isDone.withLock({ $0 }) {
                    guard snapshot.save() == .saved, let data = try? Data(contentsOf: path) else { continue }
                    saved.withLock { if $0.isEmpty { $0.append(data) } }
                }
            }
            saver.start()
            try pipeline(whole, recipe).trainDiffusion()
            isDone.withLock { $0 = true }
            #expect(outcomes.withLock { $0 }.allSatisfy { $0 == .shortStep })
            #expect(snapshot.save() == .notTraining)
            let checkpoint = try #require(saved.withLock { $0 }.first)
            let work = resumed.appendingPathComponent(".training")
            try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
            try checkpoint.write(to: work.appendingPathComponent("diffusion.checkpoint.safetensors"))
            try pipeline(resumed, recipe).trainDiffusion()
            let files = try [whole, resumed].map { try Data(contentsOf: $0.appendingPathComponent("unet.safetensors")) }
            #expect(files[0] == files[1])
        }
    }

    @Test("A run keeps the images of a group together when it holds out images for calibration")
    func groups() async throws {
        let recipe = try await recipe()
        try await withTemporaryFolder { folder in
            var data = try data(in: folder)
            let train = try #require(data.splits[.train])
            data.splits[.train] = train.enumerated().map { index, image in
                var image = image
                image.group = index < 15 ? "a" : "b"
                return image
            }
            let place = folder.appendingPathComponent("m").path
            let workers = ThreadPool(count: 1)
            let pipeline = try Pipeline(recipe, data: data, normal: "normal", folder: place, workers: workers)
            try pipeline.trainDiffusion()
            try pipeline.trainEncoder()
            try pipeline.calibrate()
            // Without groups it would be 12 of the 30 images.
            let model = try Model(ModelDirectory(path: place), workers: workers)
            #expect(model.information.calibration?.normality.count == 15)
        }
    }

    @Test("A test split of anomalies alone is trained and calibrated, but not evaluated")
    func anomaliesAlone() async throws {
        let recipe = try await recipe()
        try await withTemporaryFolder { folder in
            var data = try data(in: folder)
            data.splits[.test]?.removeAll { $0.label == "normal" }
            let place = folder.appendingPathComponent("m").path
            let workers = ThreadPool(count: 1)
            let pipeline = try Pipeline(recipe, data: data, normal: "normal", folder: place, workers: workers)
            #expect(try pipeline.run() == nil)
            _ = try Model(ModelDirectory(path: place), workers: workers)
        }
    }

    @Test("Every kind of negatives, optimizer and shift trains, and each gives a different encoder")
    func variants() async throws {
        try await withTemporaryFolder { folder in
            let data = try data(in: folder)
            let place = folder.appendingPathComponent("m")
            var encoders: Set<Data> = []
            let swaps = [
                ("dissolved", "dissolved"), ("dissolved", "gaussian"), ("dissolved", "median"), ("dissolved", "none"),
                ("lars", "sgd"), ("lars", "adam"), ("lars", "adamw"), ("rotation", "cutperm"), ("cifar", "imagenet"),
                ("shifted_removed", "naive"),
            ]
            for (part, other) in swaps {
                let recipe = try await recipe(Self.recipe.replacing("\"\(part)\"", with: "\"\(other)\""))
                try? FileManager.default.removeItem(at: place.appendingPathComponent(".training"))
                let workers = ThreadPool(count: 2)
                let pipeline = try Pipeline(recipe, data: data, normal: "normal", folder: place.path, workers: workers)
                if encoders.isEmpty { try pipeline.trainDiffusion() }
                try pipeline.trainEncoder()
                try pipeline.calibrate()
                _ = try Model(ModelDirectory(path: place.path), workers: workers)
                encoders.insert(try Data(contentsOf: place.appendingPathComponent("encoder.safetensors")))
            }
            #expect(encoders.count == swaps.count)
        }
    }

    @Test("A stage without its predecessor is an error that names the missing file and the stage")
    func order() async throws {
        try await withPipeline { pipeline, _, _ in
            for (stage, file) in [
                (pipeline.trainEncoder, "unet.safetensors"), (pipeline.calibrate, "encoder.safetensors"),
            ] {
                do {
                    try stage()
                    Issue.record("expected an error for the missing \(file)")
                } catch let error as ModelFileError {
                    #expect(error.description.contains(file) && error.description.contains("stage"))
                }
            }
        }
    }

    @Test("A trained model passes its golden set, but not a modified one")
    func goldenSet() async throws {
        try await withPipeline { pipeline, place, workers in
            try pipeline.trainDiffusion()
            try pipeline.trainEncoder()
            try pipeline.calibrate()
            func model() throws -> Model { try Model(ModelDirectory(path: place.path), workers: workers) }
            let outcome = try #require(try model().verify())
            #expect(outcome.images == 4 && outcome.passed && outcome.normalityDifference < 0.5)
            // The same set with different numbers, as from a bad copy or another build.
            let path = place.appendingPathComponent("golden.safetensors")
            let file = try Safetensors(parsing: Array(Data(contentsOf: path)), file: "golden")
            var values = try file.floats("normality")
            values[2] += 0.01
            var tensors = try ["images", "dissolved"].map { name in
                NamedTensor(name: name, shape: try #require(file.shape(of: name)), values: try file.floats(name))
            }
            tensors.append(NamedTensor(name: "normality", shape: [4], values: values))
            let bytes = try SafetensorsEncoder.encode(tensors, file: "golden")
            try Data(bytes).write(to: path)
            #expect(throws: ModelFileError.self, "the digest differs") { try model() }
            let manifest = place.appendingPathComponent("model.json")
            let text = try String(contentsOf: manifest, encoding: .utf8)
            let digest = SHA256.hexadecimal(bytes)
            let old = try #require(try ModelDirectory(path: place.path).manifest.golden).sha256
            try Data(text.replacing(old, with: digest).utf8).write(to: manifest)
            #expect(try model().verify()?.passed == false)
        }
    }

    @Test("The report has all its files, one CSV line per image, and metrics for each part")
    func report() async throws {
        try await withPipeline { pipeline, place, _ in
            let evaluation = try #require(try pipeline.run())
            #expect(Set(evaluation.aurocByPart.keys) == ["csi", "neighbors.2", "density.3", "residual.20"])
            #expect(evaluation.baselines != nil && evaluation.sensitivityAtRates?.count == 6)
            for name in ["report.json", "report.md", "dissolving.png", "errors.png"] {
                #expect(FileManager.default.fileExists(atPath: place.appendingPathComponent(name).path), "\(name)")
            }
            for name in [
                "roc.png", "histogram.png", "calibration.png", ".training/diffusion.losses.png",
                ".training/encoder.losses.png",
            ] {
                let bytes = try Array(Data(contentsOf: place.appendingPathComponent(name)))
                let picture = try PNG.decode(bytes, maximumPixels: 1_000_000)
                #expect(Set(picture.image.samples).count > 10, "\(name) is blank")
            }
            let lines = try String(contentsOf: place.appendingPathComponent("scores.csv"), encoding: .utf8)
                .split(separator: "\n")
            #expect(lines.count == 17)
            #expect(
                lines[0]
                    == "index,name,label,verdict,input_p_value,normality,score,p_value,csi,part.csi,part.neighbors.2,"
                    + "part.density.3,part.residual.20"
            )
            #expect(
                lines.dropFirst().allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == 13 }
            )
        }
    }

    @Test("A checkpoint from another recipe is rejected")
    func otherRecipe() async throws {
        let first = try await recipe()
        let second = try await recipe(Self.recipe.replacing("\"batch\": 4", with: "\"batch\": 3"))
        try await withTemporaryFolder { folder in
            let data = try data(in: folder)
            func run(_ recipe: Recipe) throws {
                let place = folder.appendingPathComponent("m").path
                let workers = ThreadPool(count: 1)
                _ = try Pipeline(recipe, data: data, normal: "normal", folder: place, workers: workers).run()
            }
            try run(first)
            #expect(throws: ModelFileError.self) { try run(second) }
        }
    }

    @Test(
        "An unknown or invalid recipe member is an error that names it",
        arguments: [
            ("\"seed\": 5", "\"sede\": 5, \"seed\": 5", "sede"), ("\"name\": \"tiny\",", "", "name"),
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
            ("\"crop_scale\": 0.3", "\"crop_scale\": 0.3, \"zoom\": 1", "encoder.zoom"),
            ("\"hue\": 0.1", "\"hue\": 0.6", "encoder.hue"),
            ("\"gray_probability\": 0.2", "\"gray_probability\": 2", "encoder.gray_probability"),
            ("\"gray_probability\"", "\"grey_probability\"", "unknown member 'encoder.grey_probability'"),
            ("\"decay\": \"cosine\"", "\"decay\": \"steps\"", "encoder.decay"),
            ("\"negatives\": \"dissolved\"", "\"negatives\": \"mean\"", "encoder.negatives"),
            ("\"warm_up_steps\": 2", "\"warm_up_steps\": -2", "encoder.warm_up_steps"),
            ("\"bank\": 8", "\"bank\": 1", "score.bank"),
            ("\"density.3\"", "\"density.7\"", "density.7"), ("\"density.3\"", "\"csi\"", "score.parts"),
            ("\"residual.20\"", "\"residual.1000\"", "residual.1000"),
            ("\"combined\"", "\"csi\"", "score.parts"), ("\"combined\"", "\"best\"", "score.method"),
        ]
    )
    func badRecipe(_ part: String, replacement: String, name: String) async throws {
        do {
            _ = try await recipe(Self.recipe.replacing(part, with: replacement))
            Issue.record("the invalid recipe was accepted")
        } catch {
            #expect("\(error)".contains(name), "\(error)")
        }
    }

    @Test("The committed recipes are valid", arguments: ["phantom", "chest", "pneumonia", "breast"])
    func committed(_ name: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        #expect(try Recipe.load(path: root.appendingPathComponent("Models/\(name)/recipe.json").path).name == name)
    }

    @Test("The learning rate warms up from a tenth, then follows a cosine or stays constant")
    func learningRate() {
        let falling = LearningRate(peak: 2, warmUpSteps: 10, decay: .cosine, steps: 110)
        #expect(falling(0) == 0.2 && abs(falling(5) - 1.1) < 1e-6 && falling(10) == 2)
        #expect(abs(falling(60) - 1) < 1e-6 && abs(falling(110)) < 1e-6)
        let constant = LearningRate(peak: 2, warmUpSteps: 0, decay: .constant, steps: 5)
        #expect((0..<5).allSatisfy { constant($0) == 2 })
    }
}
