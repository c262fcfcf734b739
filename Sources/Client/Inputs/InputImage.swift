/// One image to be sent: a file, or a frame of a file.
public struct InputImage: Sendable {
    /// The file.
    public let path: InputPath
    /// The frame from 1; nil for a file with one image.
    public let frame: Int?
    /// The PNG file to be sent, or why there is none.
    public let content: Result<[UInt8], InputError>

    /// Creates an image.
    public init(path: InputPath, frame: Int? = nil, content: Result<[UInt8], InputError>) {
        (self.path, self.frame, self.content) = (path, frame, content)
    }
}

/// Why an input cannot be sent.
public struct InputError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The message for the user.
    public let description: String

    /// Creates an error with its message.
    public init(_ description: String) { self.description = description }
}

/// The kinds of files that are read.
public enum InputKind: Sendable {
    /// PNG, by its signature.
    case png
    /// DICOM, by "DICM" after the preamble (DICOM PS3.10, section 7.1).
    case dicom

    /// The first bytes of a PNG file.
    static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    /// The number of bytes by which a file is recognized.
    static let headBytes = 132

    /// The kind of a file that begins with `bytes`; nil for any other.
    public init?(_ bytes: some Collection<UInt8>) {
        if bytes.starts(with: Self.pngSignature) {
            self = .png
        } else if bytes.dropFirst(128).starts(with: "DICM".utf8) {
            self = .dicom
        } else {
            return nil
        }
    }

    /// Returns the kind of the file at `path` by its first bytes; nil for any other and if it cannot be read.
    static func ofFile(_ path: InputPath) -> InputKind? {
        (try? FileSystem.read(path, limit: headBytes)).flatMap { InputKind($0) }
    }

    /// Whether a file of this name is taken from a folder even if its contents are damaged.
    static func isNamed(_ name: [UInt8]) -> Bool {
        let name = String(decoding: name, as: UTF8.self).lowercased()
        return [".png", ".dcm", ".dicom"].contains(where: name.hasSuffix)
    }
}
