public import Foundation
import OpenSSL
import ModelFile

/// Model directories written by an independent program, Tests/Reference/make_models.py, and copies of them.
public enum ReferenceModels {
    /// The names of all models.
    public static let names = ["gray-pad", "rgb-resize", "deep-gray", "imagenet"]

    /// The directory of the model `name`.
    public static func folder(_ name: String) -> URL {
        Bundle.module.bundleURL.appendingPathComponent("Models/\(name)")
    }

    /// Copies the model `name` to `folder` and adds a calibration with `normality` and `alpha`.
    public static func calibrated(_ name: String, in folder: URL, normality: [Float], alpha: Double) throws {
        try FileManager.default.copyItem(at: Self.folder(name), to: folder)
        let tensor = NamedTensor(name: "normality", shape: [normality.count], values: normality)
        let bytes = try SafetensorsEncoder.encode([tensor], file: "calibration.safetensors")
        try Data(bytes).write(to: folder.appendingPathComponent("calibration.safetensors"))
        let url = folder.appendingPathComponent("model.json")
        var manifest = try JSONDecoder().decode(ModelManifest.self, from: Data(contentsOf: url))
        manifest.calibration = ModelManifest.Calibration(
            file: "calibration.safetensors",
            sha256: SHA256.hexadecimal(bytes),
            alpha: alpha
        )
        try JSONEncoder().encode(manifest).write(to: url)
    }
}

/// Runs `body` with a temporary folder that is removed afterward.
public func withTemporaryFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dia-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}
