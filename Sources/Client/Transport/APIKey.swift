/// A key of the service, which no message shows.
public struct APIKey: Sendable, CustomStringConvertible {
    /// Why a file has no key.
    public struct InvalidKey: Error, CustomStringConvertible {
        /// The message for the user, without the key.
        public let description: String
    }

    /// The key itself.
    let secret: String
    /// The file that it was read from.
    public let file: String

    /// Reads the key in `bytes`, the contents of `file`: one line.
    public init(_ bytes: some Collection<UInt8>, file: String) throws(InvalidKey) {
        let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard text.count == 1, text[0].utf8.allSatisfy({ (0x21...0x7E).contains($0) }), text[0].utf8.count <= 1000
        else {
            throw InvalidKey(
                description: "--key-file \(file): expected one line with one key, as printed by dia-server hash-key"
            )
        }
        secret = String(text[0])
        self.file = file
    }

    /// Names the file, not the key.
    public var description: String { "the key in \(file)" }
}
