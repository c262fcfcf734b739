import Codecs
import Foundation
import Imaging
import TestSupport
import Testing

/// The built executables, as a user runs them.
@Suite(.timeLimit(.minutes(2))) struct ProcessTests {
    private static func executable(_ name: String) -> URL {
        Bundle.module.bundleURL.deletingLastPathComponent().appendingPathComponent(name)
    }

    private struct Outcome {
        let status: Int32
        let output, errors: String
    }

    private func run(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        let process = Process()
        process.executableURL = Self.executable(name)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let errorText = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Outcome(status: process.terminationStatus, output: text, errors: errorText)
    }

    @Test("The server says where it is, serves, logs nothing of the image, and ends with 0 on SIGTERM")
    func lifecycle() async throws {
        let process = Process()
        process.executableURL = Self.executable("dia-server")
        process.arguments = ["--models", ReferenceModels.folder("gray-pad").path, "--port", "0"]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let port = try #require(line.split(separator: ":").last?.prefix { $0.isNumber }).description
        #expect(line.contains("http://127.0.0.1:\(port)"))
        let client = try RawClient(port: try #require(UInt16(port)))
        let png = PNG.encode(Image(height: 8, width: 8, channels: 1, filledWith: 0.5))
        await client.send("POST /v1/score?patient=Roe HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n")
        await client.send("X-Request-ID: id-7\r\nContent-Length: \(png.count)\r\n\r\n")
        await client.send(png)
        #expect(await client.response()?.status == 200)
        await client.send("GET /patient/Roe HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await client.response()?.status == 404)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let log = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(log.contains("id-7") && !log.contains("Roe"))
    }

    @Test("Options that cannot be are errors that name them")
    func badOptions() throws {
        let models = ReferenceModels.folder("gray-pad").path
        let cases: [([String], String)] = [
            ([], "--models"), (["--models", "/nowhere"], "/nowhere"), (["--models", models, "--port", "x"], "--port"),
            (["--models", models, "--port", "70000"], "--port"), (["--models", models, "--queue", "0"], "--queue"),
            (["--models", models, "--threads", "-1"], "--threads"), (["--models", models, "--nonsense"], "--nonsense"),
            (["--models", models, "--default-model", "nobody"], "nobody"), (["--config", "/nowhere"], "/nowhere"),
        ]
        for (arguments, part) in cases {
            let outcome = try run("dia-server", arguments)
            #expect(outcome.status != 0 && outcome.errors.contains(part), "\(arguments): \(outcome.errors)")
        }
    }

    @Test("A broken model is a start-up error that names the file")
    func brokenModel() async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("m")
            try FileManager.default.copyItem(at: ReferenceModels.folder("gray-pad"), to: place)
            try Data("junk".utf8).write(to: place.appendingPathComponent("unet.safetensors"))
            let outcome = try run("dia-server", ["--models", folder.path, "--port", "0"])
            #expect(outcome.status != 0 && outcome.errors.contains("unet.safetensors: has sha256"))
        }
    }

    @Test("Options come from the file, the environment and the command line, the later before the earlier")
    func optionSources() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("c.json")
            try Data(#"{"models": "/from-file", "queue": 5}"#.utf8).write(to: file)
            let fromFile = try run("dia-server", ["--config", file.path])
            #expect(fromFile.errors.contains("/from-file"))
            let fromEnvironment = try run(
                "dia-server",
                ["--config", file.path],
                environment: ["DIA_MODELS": "/from-env"]
            )
            #expect(fromEnvironment.errors.contains("/from-env"))
            let fromLine = try run(
                "dia-server",
                ["--models", "/from-line"],
                environment: ["DIA_MODELS": "/from-env", "DIA_CONFIG": file.path]
            )
            #expect(fromLine.errors.contains("/from-line"))
            try Data(#"{"quue": 5}"#.utf8).write(to: file)
            #expect(try run("dia-server", ["--config", file.path]).errors.contains("quue"))
        }
    }

    @Test("The trainer's errors name what is wrong")
    func trainerErrors() async throws {
        try await withTemporaryFolder { folder in
            let none = try run("dia-train", ["run", "--data", "/nowhere", "--normal", "0", "--out", folder.path])
            #expect(none.status != 0 && none.errors.contains("recipe"))
            let count = try run("dia-train", ["synthesize", "--out", folder.path, "--side", "2"])
            #expect(count.status != 0 && count.errors.contains("--side"))
            try Data("no zip".utf8).write(to: folder.appendingPathComponent("d.npz"))
            let model = ReferenceModels.folder("gray-pad").path
            let data = folder.appendingPathComponent("d.npz").path
            let broken = try run("dia-train", ["evaluate", "--data", data, "--normal", "0", "--model", model])
            #expect(broken.status != 0 && broken.errors.contains("d.npz"))
        }
    }

    @Test("Ctrl-C saves the checkpoint and says how to go on; the same command then does")
    func interrupted() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("data").path
            let counts = ["--side", "16", "--train", "12", "--validation", "0", "--test", "0"]
            #expect(try run("dia-train", ["synthesize", "--out", data] + counts).status == 0)
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
            let recipe = try String(
                contentsOf: root.appendingPathComponent("Models/phantom/recipe.json"),
                encoding: .utf8
            )
            let path = folder.appendingPathComponent("recipe.json")
            let changes = [
                ("\"height\": 32, \"width\": 32", "\"height\": 16, \"width\": 16"), ("\"batch\": 32", "\"batch\": 2"),
            ]
            try Data(changes.reduce(recipe) { $0.replacing($1.0, with: $1.1) }.utf8).write(to: path)
            let out = folder.appendingPathComponent("m").path
            let arguments = ["diffusion", "--data", data, "--normal", "normal", "--out", out, "--recipe", path.path]
            let process = Process()
            process.executableURL = Self.executable("dia-train")
            process.arguments = arguments + ["--threads", "1"]
            let errors = Pipe()
            process.standardError = errors
            try process.run()
            // The first line of progress: the training runs.
            let first = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
            #expect(first.contains("diffusion: 1/1500"))
            process.interrupt()
            let rest = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 1 && rest.contains("interrupted"), "\(rest)")
            let checkpoint = "\(out)/.training/diffusion.checkpoint.safetensors"
            #expect(FileManager.default.fileExists(atPath: checkpoint))
            #expect(!FileManager.default.fileExists(atPath: "\(out)/unet.safetensors"))
        }
    }
}
