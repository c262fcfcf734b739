import Foundation
import ModelFile
import Neural

/// Writes the files of a model directory and remembers their digests.
struct ModelWriter {
    let folder: String
    private(set) var digests: [String: String] = [:]

    init(folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Writes `tensors` to `file`.
    mutating func write(_ tensors: [NamedTensor], to file: String, as precision: SafetensorsEncoder.Precision) throws {
        let bytes = try SafetensorsEncoder.encode(tensors, as: precision, file: file)
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(file)"), options: .atomic)
        digests[file] = SHA256.hexadecimal(bytes)
    }

    /// Writes a network's parameters in half precision; they must be ``halved`` already, so that what was
    /// measured is what is stored.
    mutating func write(_ parameters: Parameters, to file: String) throws {
        let tensors = parameters.layout.map {
            NamedTensor(name: $0.name, shape: $0.shape, values: Array(parameters.values[$0.range]))
        }
        try write(tensors, to: file, as: .float16)
    }

    /// Writes model.json.
    func write(_ manifest: ModelManifest) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let url = URL(fileURLWithPath: "\(folder)/\(ModelManifest.fileName)")
        try encoder.encode(manifest).write(to: url, options: .atomic)
    }
}

extension Parameters {
    /// The parameters rounded to half precision.
    var halved: Parameters {
        var result = self
        for index in result.values.indices { result.values[index] = Float(Float16(result.values[index])) }
        return result
    }
}
