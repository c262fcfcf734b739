import DIA
import Foundation
import ModelFile
import TestSupport
import Testing
import Training
import Neural

/// Tools/convert_checkpoint.py with checkpoints written by PyTorch (Tests/Reference/make_models.py).
@Suite(.timeLimit(.minutes(1))) struct ConverterTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../.."
    )
    private static let checkpoints = root.appendingPathComponent("Tests/TrainingTests/Data/Checkpoints")

    private func convert(unet: URL, encoder: URL, to folder: URL) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", Self.root.appendingPathComponent("Tools/convert_checkpoint.py").path, "--unet", unet.path,
            "--encoder", encoder.path, "--size", "28", "--out", folder.path,
        ]
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    @Test("The averaged U-Net and the encoder are converted exactly, and calibrate completes the model")
    func converts() async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("mine")
            let outcome = try convert(
                unet: Self.checkpoints.appendingPathComponent("diffusion.pt"),
                encoder: Self.checkpoints.appendingPathComponent("encoder.pt"),
                to: place
            )
            #expect(outcome.status == 0, "\(outcome.errors)")
            for name in ["unet.safetensors", "encoder.safetensors"] {
                func load(_ folder: URL) throws -> Safetensors {
                    let path = folder.appendingPathComponent(name)
                    return try Safetensors(parsing: Array(Data(contentsOf: path)), file: name)
                }
                let (converted, expected) = (try load(place), try load(ReferenceModels.folder("gray-pad")))
                #expect(Set(converted.names) == Set(expected.names))
                for tensor in expected.names {
                    #expect(converted.shape(of: tensor) == expected.shape(of: tensor), "\(tensor)")
                    #expect(try converted.floats(tensor) == expected.floats(tensor), "\(tensor)")
                }
            }
            let data = folder.appendingPathComponent("data").path
            try Phantom(side: 28).writeDataSet(to: data, .init(train: 12, validation: 0, test: 0), seed: 1)
            try Pipeline(
                Recipe.load(path: place.appendingPathComponent("recipe.json").path),
                data: DataSet.load(path: data).data,
                normal: "normal",
                folder: place.path,
                workers: ThreadPool(count: 1)
            ).calibrate()
            let model = try Model(ModelDirectory(path: place.path), workers: ThreadPool(count: 1))
            #expect(model.information.bankEntries == 11)
        }
    }

    @Test("An unreadable or wrong checkpoint is an error that describes the problem", arguments: ["recipe", "other"])
    func rejects(_ kind: String) async throws {
        try await withTemporaryFolder { folder in
            let encoder = Self.checkpoints.appendingPathComponent("encoder.pt")
            let recipe = Self.root.appendingPathComponent("Models/phantom/recipe.json")
            let place = folder.appendingPathComponent("mine")
            let outcome = try convert(unet: kind == "recipe" ? recipe : encoder, encoder: encoder, to: place)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(kind == "recipe" ? "recipe.json" : "init_conv.weight"))
            #expect(!outcome.errors.contains("Traceback"))
        }
    }
}
