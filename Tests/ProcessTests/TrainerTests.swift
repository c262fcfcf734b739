import Foundation
import TestSupport
import Testing

/// The trainer, as a user runs it.
@Suite(.timeLimit(.minutes(3))) struct TrainerTests {
    private func run(_ arguments: [String]) throws -> Outcome {
        try Outcome(ServerProcess.executable("dia-train"), arguments)
    }

    /// Writes phantoms to `folder/data` and a recipe without training steps to `folder/recipe.json`.
    private func prepare(_ folder: URL, train: Int, test: Int, views: Int) throws -> (data: String, recipe: String) {
        let data = folder.appendingPathComponent("data").path
        let counts = ["--side", "16", "--train", "\(train)", "--validation", "0", "--test", "\(test)"]
        #expect(try run(["synthesize", "--out", data] + counts).status == 0)
        let recipe = folder.appendingPathComponent("recipe.json")
        let text = """
            // A comment.
            {"name": "m", "input": {"channels": 1, "height": 16, "width": 16},
             "diffusion": {"dim": 8, "dim_mults": [1, 2], "steps": 0}, "encoder": {"width": 16, "steps": 0},
             "score": {"method": "csi", "views": \(views), "calibration_share": 0.4}}
            """
        try Data(text.utf8).write(to: recipe)
        return (data, recipe.path)
    }

    @Test("A run prints the counts first, says before training that nothing can be evaluated, and copies the recipe")
    func withoutEvaluation() async throws {
        try await withTemporaryFolder { folder in
            let (data, recipe) = try prepare(folder, train: 50, test: 2, views: 1)
            try FileManager.default.removeItem(atPath: "\(data)/test/normal")
            let out = folder.appendingPathComponent("m")
            let outcome = try run(["run", "--data", data, "--normal", "normal", "--recipe", recipe, "--out", out.path])
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.hasPrefix("train: 50 images (normal 50)\ntest: 2 images (lesion 2)\n"))
            #expect(outcome.output.contains("note: the test split has 0 normal and 2 anomalous images"))
            #expect(outcome.output.hasSuffix("It was not evaluated.\n"))
            let copy = try String(contentsOf: out.appendingPathComponent("recipe.json"), encoding: .utf8)
            #expect(copy.hasPrefix("// A comment."))
        }
    }

    @Test("Too few images are an error before training that says how many are needed")
    func tooFew() async throws {
        try await withTemporaryFolder { folder in
            let (data, recipe) = try prepare(folder, train: 40, test: 0, views: 1)
            let out = folder.appendingPathComponent("m").path
            let outcome = try run(["run", "--data", data, "--normal", "normal", "--recipe", recipe, "--out", out])
            #expect(outcome.status == 1 && outcome.errors.contains("40 normal images, but this recipe needs 48"))
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    @Test("A signal stops the bank and the evaluation within a second", arguments: ["bank", "evaluate test"])
    func interrupted(_ stage: String) async throws {
        try await withTemporaryFolder { folder in
            let isBank = stage == "bank"
            let (data, recipe) = try prepare(folder, train: isBank ? 800 : 50, test: isBank ? 0 : 1000, views: 64)
            let process = Process()
            process.executableURL = ServerProcess.executable("dia-train")
            let out = folder.appendingPathComponent("m").path
            process.arguments = [
                "run", "--data", data, "--normal", "normal", "--recipe", recipe, "--out", out, "--threads", "1",
            ]
            let errors = Pipe()
            process.standardError = errors
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            var text = ""
            while !text.contains("\(stage):") {
                let next = errors.nextText()
                guard !next.isEmpty else { break }
                text += next
            }
            #expect(text.contains("\(stage):"))
            let start = ContinuousClock.now
            process.terminate()
            let rest = errors.allText()
            process.waitUntilExit()
            // A second, and another one for a busy machine.
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(process.terminationStatus == 1 && process.terminationReason == .exit)
            #expect(rest.contains("Error: interrupted") && rest.contains("run "), "\(rest)")
        }
    }

    @Test("A signal during a step of several seconds saves the state before the step and ends within a second")
    func longStep() async throws {
        try await withTemporaryFolder { folder in
            let (data, _) = try prepare(folder, train: 20, test: 0, views: 1)
            let recipe = folder.appendingPathComponent("recipe.json")
            let text = """
                {"name": "m", "input": {"channels": 1, "height": 64, "width": 64}, "diffusion": {"batch": 24, "steps": 1000}}
                """
            try Data(text.utf8).write(to: recipe)
            let process = Process()
            process.executableURL = ServerProcess.executable("dia-train")
            let out = folder.appendingPathComponent("m").path
            process.arguments = [
                "diffusion", "--data", data, "--normal", "normal", "--recipe", recipe.path, "--out", out, "--threads",
                "1",
            ]
            let errors = Pipe()
            process.standardError = errors
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            #expect(errors.nextText().contains("diffusion: 1/1000"))
            let start = ContinuousClock.now
            process.terminate()
            let rest = errors.allText()
            process.waitUntilExit()
            // A second, and another one for a busy machine.
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(process.terminationStatus == 1 && rest.contains("the checkpoint is saved"), "\(rest)")
            #expect(FileManager.default.fileExists(atPath: "\(out)/.training/diffusion.checkpoint.safetensors"))
        }
    }

    @Test("inspect prints its report as JSON alone, and init writes a recipe that is valid and is not overwritten")
    func inspectAndInit() async throws {
        try await withTemporaryFolder { folder in
            let (data, _) = try prepare(folder, train: 30, test: 4, views: 1)
            let report = try run(["inspect", "--data", data, "--normal", "normal", "--json"])
            let json = try JSONSerialization.jsonObject(with: Data(report.output.utf8)) as? [String: Any]
            #expect(report.status == 0 && (json?["counts"] as? [Any])?.count == 3)
            let out = folder.appendingPathComponent("new.json").path
            let arguments = ["init", "--data", data, "--normal", "normal", "--preset", "compact", "--out", out]
            let written = try run(arguments + ["--name", "mine"])
            #expect(written.status == 0, "\(written.errors)")
            #expect(written.output.contains("Measured on this machine") && written.output.contains("Estimate: "))
            #expect(written.output.contains("warning: 127 normal training images are needed"))
            let recipe = try String(contentsOfFile: out, encoding: .utf8)
            #expect(recipe.contains("// Estimate: ") && recipe.contains(#""name": "mine""#))
            #expect(recipe.contains(#""input": {"channels": 1, "height": 16, "width": 16}"#))
            let again = try run(arguments)
            #expect(again.status == 1 && again.errors.contains("new.json: exists"))
        }
    }

    @Test("Errors of the file system are in plain words and name the place")
    func plainWords() throws {
        let outcome = try run(["synthesize", "--out", "/dev/null/x", "--train", "1"])
        #expect(outcome.status == 1 && outcome.errors.contains("/dev/null/x"), "\(outcome.errors)")
        #expect(!outcome.errors.contains("operation") && !outcome.errors.contains("Domain"), "\(outcome.errors)")
    }
}
