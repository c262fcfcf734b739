import OpenSSL
import Foundation

/// A model directory on disk: its manifest and its weight files, with verified digests.
public struct ModelDirectory: Sendable {
    /// The validated manifest.
    public let manifest: ModelManifest
    /// The digest "sha256:..." of model.json, which contains the digests of all other files.
    public let digest: String
    /// The path of the directory.
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
            throw ModelFileError(file: file, reason: "is a Git LFS pointer, not the file itself; run 'git lfs pull'")
        }
        return bytes
    }

    /// The first bytes of a Git LFS pointer, which replaces a file in a clone without Git LFS.
    private static let pointerStart = Array("version https://git-lfs.github.com/spec/".utf8)

    /// Returns the bytes of `file`; throws an error if their digest is not `sha256`.
    private func verified(_ file: String, _ sha256: String) throws(ModelFileError) -> [UInt8] {
        let bytes = try Self.read(file, in: path)
        let actual = SHA256.hexadecimal(bytes)
        guard actual == sha256.lowercased() else {
            throw ModelFileError(file: file, reason: "has sha256 \(actual), expected \(sha256) from model.json")
        }
        return bytes
    }

    /// Throws an error if a file of the directory does not have the digest in the manifest.
    public func verifyFiles() throws(ModelFileError) {
        for (file, sha256) in manifest.files { _ = try verified(file, sha256) }
    }

    /// Returns the tensors of `file`; throws an error if its digest is not `sha256`.
    public func tensors(in file: String, sha256: String) throws(ModelFileError) -> Safetensors {
        let bytes = try verified(file, sha256)
        return try Safetensors(parsing: bytes, file: file)
    }
}

extension ModelManifest {
    /// The names of the other files in the directory, with their digests.
    var files: [(file: String, sha256: String)] {
        var files = [(dissolve.file, dissolve.sha256), (encoder.file, encoder.sha256), (score.file, score.sha256)]
        if let calibration { files.append((calibration.file, calibration.sha256)) }
        if let golden { files.append((golden.file, golden.sha256)) }
        return files
    }
}
