import Foundation
import ModelFile
import Testing

@Suite struct ManifestTests {
    static var good: [String: Any] {
        [
            "format": "dia-model/1", "name": "m", "version": "1",
            "input": ["channels": 1, "height": 28, "width": 28],
            "dissolve": [
                "file": "unet.safetensors", "sha256": "", "dim": 8, "dim_mults": [1, 2], "channels": 1,
                "resolution": 32,
                "fit": "pad", "timesteps": 1000, "beta_schedule": "cosine", "default_t": 200,
            ],
            "encoder": [
                "file": "encoder.safetensors", "sha256": "", "arch": "resnet18", "stem": "cifar", "width": 4,
                "channels": 1,
                "projection": 16, "shifts": "rotation",
            ],
            "score": [
                "file": "bank.safetensors", "sha256": "", "method": "csi", "views": 1, "crop_scale": 0.54, "seed": 0,
            ],
        ]
    }

    /// The error for the valid manifest with one member replaced, or removed if `json` is empty.
    private func error(_ path: String, _ json: String) throws -> String? {
        var manifest = Self.good
        let keys = path.split(separator: ".").map(String.init)
        let value =
            json.isEmpty ? nil : try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
        if keys.count == 1 {
            manifest[keys[0]] = value
        } else {
            var part = manifest[keys[0]] as? [String: Any] ?? [:]
            part[keys[1]] = value
            manifest[keys[0]] = part
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try JSONSerialization.data(withJSONObject: manifest).write(to: folder.appendingPathComponent("model.json"))
        do throws(ModelFileError) {
            _ = try ModelDirectory(path: folder.path)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("A valid manifest opens")
    func valid() throws { #expect(try error("version", "\"2\"") == nil) }

    @Test(
        "An invalid member is an error that names it",
        arguments: [
            ("format", "\"dia-model/2\""), ("format", ""), ("name", "\"../x\""), ("name", "\"\""), ("name", "7"),
            ("input.height", "0"), ("input.height", "1e30"), ("input.width", "-5"), ("input.channels", "2"),
            ("dissolve.dim", "7"), ("dissolve.dim", "12"), ("dissolve.dim", "1000000"), ("dissolve.dim_mults", "[]"),
            ("dissolve.dim_mults", "[1,2,3,4,5,6,7]"), ("dissolve.dim_mults", "[99999]"), ("dissolve.resolution", "31"),
            ("dissolve.resolution", "16"), ("dissolve.fit", "\"crop\""), ("dissolve.timesteps", "1"),
            ("dissolve.default_t", "1000"), ("dissolve.beta_schedule", "\"sigmoid\""), ("dissolve.channels", "3"),
            ("dissolve.file", "\"../../etc/passwd\""), ("dissolve.file", "\"/etc/passwd\""),
            ("dissolve.file", "\"..\""),
            ("dissolve.sha256", ""), ("encoder.arch", "\"vit\""), ("encoder.stem", "\"x\""), ("encoder.width", "0"),
            ("encoder.projection", "9999999"), ("encoder.resolution", "7"), ("encoder.resolution", "29"),
            ("encoder.shifts", "\"flip\""), ("score.method", "\"knn\""),
            ("score.views", "0"), ("score.views", "1000"), ("score.crop_scale", "0"), ("score.crop_scale", "2"),
            ("score.seed", "-1"), ("calibration", "{\"file\":\"c\",\"sha256\":\"\",\"alpha\":1}"), ("dissolve", "null"),
            (
                "dissolve",
                """
                {"file": "u", "sha256": "", "dim": 8, "dim_mults": [1], "channels": 1, "resolution": 32, "fit": "pad",
                 "timesteps": 20, "beta_schedule": "linear", "default_t": 0}
                """
            ),
        ]
    )
    func broken(_ path: String, json: String) throws {
        let message = try #require(try error(path, json))
        let member = path.split(separator: ".").last.map(String.init) ?? path
        #expect(message.hasPrefix("model.json:"))
        #expect(message.contains(member) || message.contains(path == "dissolve.resolution" ? "fit" : member))
    }

    @Test("A missing or malformed model.json is an error")
    func noJSON() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: ModelFileError.self) { try ModelDirectory(path: folder.path) }
        try Data("{".utf8).write(to: folder.appendingPathComponent("model.json"))
        #expect(throws: ModelFileError.self) { try ModelDirectory(path: folder.path) }
    }
}
