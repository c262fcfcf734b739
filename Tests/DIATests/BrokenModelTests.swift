import DIA
import Foundation
import OpenSSL
import ModelFile
import TestSupport
import Testing
import Neural

/// Each defect in a model directory is an error that names the file and the tensor.
@Suite struct BrokenModelTests {
    /// Copies a valid model and lets `change` corrupt one of its tensor files; the digest in the manifest is updated
    /// unless `keepDigest` is set.
    private func error(
        _ file: String,
        keepDigest: Bool = false,
        _ change: (inout [NamedTensor], inout [UInt8]?) -> Void
    ) throws -> String? {
        let source = ReferenceModels.folder("gray-pad")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(at: source, to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appendingPathComponent(file)
        let original = try Array(Data(contentsOf: url))
        let tensors = try Safetensors(parsing: original, file: file)
        var named = try tensors.names.map { name in
            NamedTensor(name: name, shape: try #require(tensors.shape(of: name)), values: try tensors.floats(name))
        }
        var bytes: [UInt8]?
        change(&named, &bytes)
        let changed = try bytes ?? SafetensorsEncoder.encode(named, as: .float32, file: file)
        try Data(changed).write(to: url)
        if !keepDigest {
            let manifest = folder.appendingPathComponent("model.json")
            let text = try String(contentsOf: manifest, encoding: .utf8)
            let fixed = text.replacing(SHA256.hexadecimal(original), with: SHA256.hexadecimal(changed))
            try Data(fixed.utf8).write(to: manifest)
        }
        do throws(ModelFileError) {
            _ = try Model(ModelDirectory(path: folder.path), workers: ThreadPool(count: 1))
            return nil
        } catch {
            return error.description
        }
    }

    static let files = ["unet.safetensors", "encoder.safetensors", "bank.safetensors"]

    @Test("The unchanged model loads", arguments: files)
    func valid(_ file: String) throws {
        let message = try error(file) { _, _ in }
        #expect(message == nil)
    }

    @Test("Additional tensors are ignored", arguments: files)
    func additionalTensors(_ file: String) throws {
        let message = try error(file) { tensors, _ in
            tensors.append(NamedTensor(name: "num_batches_tracked", shape: [1], values: [3]))
        }
        #expect(message == nil)
    }

    @Test("A missing or renamed tensor is reported by name", arguments: files, [false, true])
    func missing(_ file: String, isRenamed: Bool) throws {
        var name = ""
        let message = try error(file) { tensors, _ in
            name = tensors[0].name
            if isRenamed { tensors[0].name += "x" } else { tensors.removeFirst() }
        }
        #expect(message?.contains(file) == true && message?.contains("'\(name)': is missing") == true)
    }

    @Test("A tensor with the wrong shape is reported by name", arguments: files)
    func resized(_ file: String) throws {
        var name = ""
        let message = try error(file) { tensors, _ in
            let last = tensors.count - 1
            name = tensors[last].name
            tensors[last] = NamedTensor(
                name: name,
                shape: [1, tensors[last].values.count],
                values: tensors[last].values
            )
        }
        #expect(message?.contains("\(file): tensor '\(name)': has shape") == true, "\(message ?? "no error")")
    }

    @Test("A non-finite weight is reported with its tensor's name")
    func notFinite() throws {
        for file in Self.files {
            let message = try error(file) { tensors, bytes in
                bytes = try? SafetensorsEncoder.encode(tensors, as: .float32, file: file)
                // Replace the last number of the file with NaN.
                if let count = bytes?.count { bytes?.replaceSubrange(count - 4..<count, with: [0, 0, 0xC0, 0x7F]) }
            }
            #expect(message?.contains("\(file): tensor '") == true && message?.contains("not finite") == true)
        }
    }

    @Test("A negative variance is reported with its tensor's name")
    func negativeVariance() throws {
        let message = try error("encoder.safetensors") { tensors, _ in
            guard let index = tensors.firstIndex(where: { $0.name == "bn1.running_var" }) else { return }
            tensors[index].values[0] = -1
        }
        #expect(message == "encoder.safetensors: tensor 'bn1.running_var': element 0 is negative")
    }

    @Test("A wrong digest is an error that names the file", arguments: files)
    func wrongDigest(_ file: String) throws {
        let message = try error(file, keepDigest: true) { tensors, _ in tensors[0].values[0] += 1 }
        #expect(message?.hasPrefix("\(file): has sha256") == true)
    }

    @Test("A truncated file is an error that names it", arguments: files)
    func truncated(_ file: String) throws {
        let message = try error(file) { tensors, bytes in
            bytes = try? Array(SafetensorsEncoder.encode(tensors, as: .float32, file: file).dropLast(10))
        }
        #expect(message?.hasPrefix(file) == true && message?.contains("truncated") == true)
    }
}
