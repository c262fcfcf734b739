import Glibc
import OpenSSL

/// Image files that are made from inputs.
public enum PictureFile {
    /// Returns the name of the file that `kind` makes from an input: its own name, a digest of its path and the kind.
    ///
    /// The digest keeps files of the same name in different folders apart.
    public static func name(of path: InputPath, frame: Int?, kind: String) -> String {
        let bytes = path == .standardInput ? Array("stdin".utf8) : path.bytes
        let last = bytes.split(separator: UInt8(ascii: "/")).last ?? []
        let dot = last.lastIndex(of: UInt8(ascii: "."))
        let stem = dot.map { last[..<$0] } ?? last
        // Only characters that every file system and shell takes as they are.
        let letters = stem.prefix(80).map { byte in
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".": return Character(scalar)
            default: return "_"
            }
        }
        let digest = SHA256.hexadecimal(path.bytes).prefix(16)
        return "\(String(letters))-\(digest)\(frame.map { "-frame\($0)" } ?? "")-\(kind).png"
    }

    /// Writes `bytes` to the file at `path`, which has its new contents or its old ones at any time.
    ///
    /// Throws if it is one of `inputs`.
    public static func write(
        _ bytes: [UInt8],
        to path: String,
        inputs: Set<FileIdentity>
    ) throws(ResultFile.Failure) {
        if let existing = FileIdentity(InputPath(path)), inputs.contains(existing) {
            throw ResultFile.Failure("\(path) is an input and is not overwritten; use another --out")
        }
        let file = try ResultFile(creating: "\(path).dia-new")
        do {
            try file.write(bytes)
            try file.rename(to: path)
        } catch {
            unsafe unlink(file.path)
            throw error
        }
    }
}

/// Identifies a file by whatever path it is reached.
public struct FileIdentity: Hashable, Sendable {
    private let identity: FileSystem.Identity

    /// Creates the identity of the file at `path`; nil if there is none.
    public init?(_ path: InputPath) {
        guard let status = try? FileSystem.status(path) else { return nil }
        identity = status.identity
    }
}
