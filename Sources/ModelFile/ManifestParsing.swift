import Foundation

extension ModelManifest {
    /// The largest size of model.json in bytes.
    private static let maximumLength = 4 << 20

    /// Parses and validates the bytes of a model.json file.
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
