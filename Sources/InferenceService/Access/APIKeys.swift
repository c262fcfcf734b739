import OpenSSL
import Foundation
import HTTP

/// Clients that may call: API keys, stored as digests, and client certificates.
public struct APIKeys: Sendable {
    /// A key or client certificate.
    public struct Key: Sendable, Hashable {
        /// Name of its holder in logs.
        public let name: String
        /// Scopes of the key.
        public let scopes: Set<Scope>
        /// Maximum requests per second; nil means no limit.
        public let rate: Double?
        /// Credential that identifies the client.
        enum Credential: Hashable, Sendable {
            /// A key with this SHA-256 digest.
            case key(digest: [UInt8])
            /// A verified client certificate whose DER encoding has this SHA-256 digest.
            case certificate(fingerprint: [UInt8])
            /// A verified client certificate with this subject (RFC 2253).
            case subject(String)

            /// The credential's word in a key file.
            var word: String {
                switch self {
                case .key(let digest): "sha256:\(Self.hexadecimal(digest))"
                case .certificate(let digest): "certificate-sha256:\(Self.hexadecimal(digest))"
                case .subject(let name): "subject:\"\(name)\""
                }
            }

            private static func hexadecimal(_ bytes: [UInt8]) -> String {
                bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
        }

        let credential: Credential

        /// Creates the key for `secret`.
        public init(name: String, scopes: Set<Scope>, rate: Double?, secret: String) {
            self.init(name: name, scopes: scopes, rate: rate, credential: .key(digest: SHA256.digest(secret.utf8)))
        }

        fileprivate init(name: String, scopes: Set<Scope>, rate: Double?, credential: Credential) {
            self.name = name
            self.scopes = scopes
            self.rate = rate
            self.credential = credential
        }

        /// The key's line in a key file: name, scopes, credential and an optional rate.
        public var line: String {
            let scopes = Scope.allCases.filter(self.scopes.contains).map(\.rawValue).joined(separator: ",")
            return "\(name) \(scopes) \(credential.word)" + (rate.map { " rate=\($0)" } ?? "")
        }
    }

    /// Error of a key file, with the line number.
    public struct FileError: Error, CustomStringConvertible {
        /// Description of the error.
        public let description: String
    }

    /// The keys in file order.
    public let keys: [Key]

    /// Parses a key file with one key per line, `NAME SCOPE[,SCOPE...] CREDENTIAL [rate=PER_SECOND]`.
    ///
    /// Empty lines, lines that begin with # and a byte order mark are skipped.
    ///
    /// CREDENTIAL is `sha256:DIGEST` for a key, `certificate-sha256:DIGEST` for a client certificate by its
    /// fingerprint,
    /// or `subject:"CN=..."` for client certificates by their subject (RFC 2253).
    public init(parsing text: String) throws(FileError) {
        var keys: [Key] = []
        // Lines end with LF or CRLF, which is one character in Swift.
        let text = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = Self.words(of: line)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            do throws(FileError) {
                let key = try Self.key(words)
                guard !keys.contains(where: { $0.name == key.name }) else {
                    throw FileError(description: "a second key named '\(key.name)'")
                }
                guard !keys.contains(where: { $0.credential == key.credential }) else {
                    throw FileError(description: "the credential is the same as in an earlier line")
                }
                keys.append(key)
            } catch {
                throw FileError(description: "line \(index + 1): \(error.description)")
            }
        }
        // A file without keys is a mistake.
        guard !keys.isEmpty else { throw FileError(description: "the file does not contain a key") }
        self.keys = keys
    }

    /// Splits a line into words at whitespace; quotes are removed, and whitespace between them is kept.
    private static func words(of line: Substring) -> [String] {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        for character in line {
            if character == "\"" {
                isQuoted.toggle()
                word = word ?? ""
            } else if character.isWhitespace, !isQuoted {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }

    private static func key(_ words: [String]) throws(FileError) -> Key {
        guard (3...4).contains(words.count) else {
            throw FileError(description: "expected a name, scopes, a credential and optionally a rate")
        }
        guard isName(words[0]) else {
            throw FileError(description: "a name must consist of 1 to 64 letters, digits, dots, dashes and underscores")
        }
        let scopes: Set<Scope>
        do {
            scopes = try Scope.set(of: words[1])
        } catch {
            throw FileError(description: error.description)
        }
        let credential = try credential(words[2])
        guard words.count == 4 else { return Key(name: words[0], scopes: scopes, rate: nil, credential: credential) }
        guard words[3].hasPrefix("rate="), let rate = Double(words[3].dropFirst(5)), rates.contains(rate) else {
            throw FileError(
                description:
                    "'\(words[3])' is not a valid rate; rate= must be from 0.001 to 1000000 requests per second"
            )
        }
        return Key(name: words[0], scopes: scopes, rate: rate, credential: credential)
    }

    private static func credential(_ word: String) throws(FileError) -> Key.Credential {
        let parts = word.split(separator: ":", maxSplits: 1)
        let value = parts.count == 2 ? parts[1] : ""
        switch parts.first {
        case "sha256":
            guard let digest = bytes(ofHexadecimal: value) else {
                throw FileError(description: "sha256: must be followed by 64 hexadecimal digits")
            }
            return .key(digest: digest)
        case "certificate-sha256":
            // As printed by `openssl x509 -fingerprint`, with or without colons.
            guard let digest = bytes(ofHexadecimal: value.filter { $0 != ":" }[...]) else {
                throw FileError(description: "certificate-sha256: must be followed by 64 hexadecimal digits")
            }
            return .certificate(fingerprint: digest)
        case "subject":
            guard !value.isEmpty else {
                throw FileError(description: "subject: must be followed by a name such as \"CN=pacs\"")
            }
            return .subject(String(value))
        default:
            throw FileError(
                description: "a credential must be sha256:DIGEST, certificate-sha256:DIGEST or subject:\"NAME\""
            )
        }
    }

    /// Valid rate limits in requests per second.
    public static let rates = 1e-3...1e6

    /// Whether `text` is a valid name of a key.
    public static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [0x2D, 0x2E, 0x5F].contains(byte)
            }
    }

    private static func bytes(ofHexadecimal text: Substring) -> [UInt8]? {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard text.utf8.count == 64, digits.count == 64 else { return nil }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// Returns the key whose text is `secret`; nil if it is not known.
    ///
    /// All keys are compared in constant time, so that the duration reveals nothing.
    func holder(ofSecret secret: String) -> Key? {
        let digest = SHA256.digest(secret.utf8)
        var found: Key?
        for key in keys {
            if case .key(let known) = key.credential, equalInConstantTime(known, digest) { found = key }
        }
        return found
    }

    /// Whether the key or certificate of `key` is still listed with `scope`.
    func allows(_ key: Key, _ scope: Scope) -> Bool {
        keys.contains { $0.credential == key.credential && $0.scopes.contains(scope) }
    }

    /// Returns the entry for a client certificate, by its fingerprint or else by its subject; nil if there is none.
    func holder(of certificate: Peer.Certificate) -> Key? {
        keys.first { $0.credential == .certificate(fingerprint: certificate.fingerprint) }
            ?? keys.first { $0.credential == .subject(certificate.subject) }
    }
}
