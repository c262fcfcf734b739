import Foundation

extension ModelManifest {
    /// The largest model.json that is read, in bytes.
    private static let maximumLength = 4 << 20

    /// The manifest that the bytes of a model.json hold, validated.
    package init(parsing bytes: [UInt8]) throws(ModelFileError) {
        guard bytes.count <= Self.maximumLength else {
            throw ModelFileError(file: Self.fileName, reason: "is larger than \(Self.maximumLength) bytes")
        }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch {
            throw ModelFileError(file: Self.fileName, reason: DecodingFailure(error, in: Data(bytes)).description)
        }
        try validate()
    }
}
