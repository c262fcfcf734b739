import OpenSSL
import Foundation

/// A model directory on disk: its manifest, and its weight files with their digests checked.
public struct ModelDirectory: Sendable {
    /// The manifest, validated.
    public let manifest: ModelManifest
    /// "sha256:..." of model.json, which holds the digests of all other files.
    public let digest: String
    /// Where it is.
    public let path: String

    /// Opens the directory at `path` and reads its manifest.
    public init(path: String) throws(ModelFileError) {
        self.path = path
        let bytes = try Self.read(ModelManifest.fileName, in: path)
        manifest = try ModelManifest(parsing: bytes)
        digest = "sha256:" + SHA256.hexadecimal(bytes)
    }

    private static func read(_ file: String, in path: String) throws(ModelFileError) -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path).appendingPathComponent(file)))
        } catch {
            throw ModelFileError(file: file, reason: "cannot be read in \(path)")
        }
        guard !bytes.starts(with: Self.pointerStart) else {
            throw ModelFileError(file: file, reason: "is a Git LFS pointer, not the file itself: run 'git lfs pull'")
        }
        return bytes
    }

    /// How the text begins that stands for a file in a clone without Git LFS.
    private static let pointerStart = Array("version https://git-lfs.github.com/spec/".utf8)

    /// The bytes of `file`, whose digest must be `sha256`.
    private func verified(_ file: String, _ sha256: String) throws(ModelFileError) -> [UInt8] {
        let bytes = try Self.read(file, in: path)
        let actual = SHA256.hexadecimal(bytes)
        guard actual == sha256.lowercased() else {
            throw ModelFileError(file: file, reason: "has sha256 \(actual), model.json says \(sha256)")
        }
        return bytes
    }

    /// Throws unless every file of the directory still has the digest that the manifest names.
    public func verifyFiles() throws(ModelFileError) {
        for (file, sha256) in manifest.files { _ = try verified(file, sha256) }
    }

    /// The tensors of `file`, whose digest must be `sha256`.
    public func tensors(in file: String, sha256: String) throws(ModelFileError) -> Safetensors {
        let bytes = try verified(file, sha256)
        return try Safetensors(parsing: bytes, file: file)
    }
}

extension ModelManifest {
    /// The names of the directory's other files, with their digests.
    var files: [(file: String, sha256: String)] {
        var files = [(dissolve.file, dissolve.sha256), (encoder.file, encoder.sha256), (score.file, score.sha256)]
        if let calibration { files.append((calibration.file, calibration.sha256)) }
        if let golden { files.append((golden.file, golden.sha256)) }
        return files
    }
}
