import OpenSSL
import Foundation
import HTTP

/// Who may call: keys by their digests, never the keys themselves, and client certificates.
public struct APIKeys: Sendable {
    /// One key.
    public struct Key: Sendable, Hashable {
        /// What logs call its holder.
        public let name: String
        /// What it allows.
        public let scopes: Set<Scope>
        /// Requests a second; nil sets no limit.
        public let rate: Double?
        /// What proves who a client is.
        enum Credential: Hashable, Sendable {
            /// A key with this SHA-256 digest.
            case key(digest: [UInt8])
            /// A verified client certificate whose DER encoding has this SHA-256 digest.
            case certificate(fingerprint: [UInt8])
            /// A verified client certificate with this subject (RFC 2253).
            case subject(String)

            /// The word that stands for it in a file.
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

        /// The line of a key file that holds `secret`.
        public init(name: String, scopes: Set<Scope>, rate: Double?, secret: String) {
            self.init(name: name, scopes: scopes, rate: rate, credential: .key(digest: SHA256.digest(secret.utf8)))
        }

        fileprivate init(name: String, scopes: Set<Scope>, rate: Double?, credential: Credential) {
            self.name = name
            self.scopes = scopes
            self.rate = rate
            self.credential = credential
        }

        /// The key's line in a file: name, scopes, credential and perhaps a rate.
        public var line: String {
            let scopes = Scope.allCases.filter(self.scopes.contains).map(\.rawValue).joined(separator: ",")
            return "\(name) \(scopes) \(credential.word)" + (rate.map { " rate=\($0)" } ?? "")
        }
    }

    /// Why a file of keys cannot be used; names the line.
    public struct FileError: Error, CustomStringConvertible {
        /// What is wrong.
        public let description: String
    }

    /// The keys in the order of their file.
    public let keys: [Key]

    /// The keys of a text with one a line, `NAME SCOPE[,SCOPE...] CREDENTIAL [rate=PER_SECOND]`; empty lines and those
    /// that begin with # are skipped, and so is a byte order mark.
    ///
    /// CREDENTIAL is `sha256:DIGEST` for a key, `certificate-sha256:DIGEST` for a client certificate by its fingerprint,
    /// or `subject:"CN=..."` for client certificates by their subject (RFC 2253).
    public init(parsing text: String) throws(FileError) {
        var keys: [Key] = []
        // Lines end in LF or CRLF, which is one character to Swift.
        let text = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = Self.words(of: line)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            do throws(FileError) {
                let key = try Self.key(words)
                guard !keys.contains(where: { $0.name == key.name }) else {
                    throw FileError(description: "a second key called '\(key.name)'")
                }
                guard !keys.contains(where: { $0.credential == key.credential }) else {
                    throw FileError(description: "the same credential as in a line above")
                }
                keys.append(key)
            } catch {
                throw FileError(description: "line \(index + 1): \(error.description)")
            }
        }
        // A file that lets nobody in is a mistake.
        guard !keys.isEmpty else { throw FileError(description: "it holds no key") }
        self.keys = keys
    }

    /// The words of a line, separated by white space; within quotes, which are left out, white space is text.
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
            throw FileError(description: "a name, scopes and a credential are expected, and optionally a rate")
        }
        guard isName(words[0]) else {
            throw FileError(description: "a name has 1 to 64 letters, digits, dots, dashes and underscores")
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
                description: "'\(words[3])' is not a rate; rate= takes 0.001 to 1000000 requests per second"
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
                throw FileError(description: "sha256: takes 64 hexadecimal digits")
            }
            return .key(digest: digest)
        case "certificate-sha256":
            // As openssl x509 -fingerprint prints it, or without the colons.
            guard let digest = bytes(ofHexadecimal: value.filter { $0 != ":" }[...]) else {
                throw FileError(description: "certificate-sha256: takes 64 hexadecimal digits")
            }
            return .certificate(fingerprint: digest)
        case "subject":
            guard !value.isEmpty else { throw FileError(description: "subject: takes a name such as \"CN=pacs\"") }
            return .subject(String(value))
        default:
            throw FileError(
                description: "a credential is sha256:DIGEST, certificate-sha256:DIGEST or subject:\"NAME\""
            )
        }
    }

    /// The requests a second that a key's limit may be.
    public static let rates = 1e-3...1e6

    /// Whether `text` may name a key.
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

    /// The key that `head` carries as a bearer token (RFC 6750, section 2.1); nil if it carries no known one.
    ///
    /// Every key is compared, each in constant time: how long it takes tells nothing.
    func holder(of head: RequestHead) -> Key? {
        guard let field = head.headers["authorization"], field.utf8.count <= 1024 else { return nil }
        let words = field.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        let digest = SHA256.digest(words[1].utf8)
        var found: Key?
        for key in keys {
            if case .key(let known) = key.credential, equalInConstantTime(known, digest) { found = key }
        }
        return found
    }

    /// The key that stands for a client certificate, by its fingerprint or else by its subject; nil if there is none.
    func holder(of certificate: Peer.Certificate) -> Key? {
        keys.first { $0.credential == .certificate(fingerprint: certificate.fingerprint) }
            ?? keys.first { $0.credential == .subject(certificate.subject) }
    }
}
