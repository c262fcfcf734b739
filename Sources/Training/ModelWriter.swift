import Foundation
import OpenSSL
import ModelFile
import Neural

/// Writes the files of a model directory and keeps their digests.
struct ModelWriter {
    let folder: String
    private(set) var digests: [String: String] = [:]

    init(folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Writes `tensors` to `file`; returns the tensors as read back from the file.
    @discardableResult
    mutating func write(
        _ tensors: [NamedTensor],
        to file: String,
        as precision: SafetensorsEncoder.Precision
    ) throws -> Safetensors {
        let bytes = try SafetensorsEncoder.encode(tensors, as: precision, file: file)
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(file)"), options: .atomic)
        digests[file] = SHA256.hexadecimal(bytes)
        return try Safetensors(parsing: bytes, file: file)
    }

    /// Writes the parameters of a network in half precision; later stages read them from the file.
    mutating func write(_ parameters: Parameters, to file: String) throws {
        let tensors = parameters.layout.map {
            NamedTensor(name: $0.name, shape: $0.shape, values: Array(parameters.values[$0.range]))
        }
        try write(tensors, to: file, as: .float16)
    }

    /// Reads `file`, which an earlier stage has written.
    mutating func read(_ file: String, of stage: String) throws -> Safetensors {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else {
            throw ModelFileError(file: file, reason: "does not exist; run the \(stage) stage first")
        }
        digests[file] = SHA256.hexadecimal(Array(data))
        return try Safetensors(parsing: Array(data), file: file)
    }

    /// Writes model.json.
    func write(_ manifest: ModelManifest) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let url = URL(fileURLWithPath: "\(folder)/\(ModelManifest.fileName)")
        try encoder.encode(manifest).write(to: url, options: .atomic)
    }
}
