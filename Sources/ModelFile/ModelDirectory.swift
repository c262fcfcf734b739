import Cryptography
import Foundation

/// A model directory on disk: its manifest, and its weight files with their digests checked.
public struct ModelDirectory: Sendable {
    /// The manifest, validated.
    public let manifest: ModelManifest
    /// "sha256:..." of model.json, which holds the digests of all other files.
    public let digest: String
    private let path: String

    /// Opens the directory at `path` and reads its manifest.
    public init(path: String) throws(ModelFileError) {
        self.path = path
        let bytes = try Self.read(ModelManifest.fileName, in: path)
        manifest = try ModelManifest(parsing: bytes)
        digest = "sha256:" + SHA256.hexadecimal(bytes)
    }

    private static func read(_ file: String, in path: String) throws(ModelFileError) -> [UInt8] {
        do {
            return try Array(Data(contentsOf: URL(fileURLWithPath: path).appendingPathComponent(file)))
        } catch {
            throw ModelFileError(file: file, reason: "cannot be read in \(path)")
        }
    }

    /// The tensors of `file`, whose digest must be `sha256`.
    public func tensors(in file: String, sha256: String) throws(ModelFileError) -> Safetensors {
        let bytes = try Self.read(file, in: path)
        let actual = SHA256.hexadecimal(bytes)
        guard actual == sha256.lowercased() else {
            throw ModelFileError(file: file, reason: "has sha256 \(actual), model.json says \(sha256)")
        }
        return try Safetensors(parsing: bytes, file: file)
    }
}
