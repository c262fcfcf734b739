import Cryptography
import Foundation
import HTTP

/// Who may call: keys by their digests, never the keys themselves.
public struct APIKeys: Sendable {
    /// One key.
    public struct Key: Sendable, Hashable {
        /// What logs call its holder.
        public let name: String
        /// What it is good for.
        public let scopes: Set<Scope>
        /// Requests a second; nil sets no limit.
        public let rate: Double?
        /// The SHA-256 digest of the key.
        let digest: [UInt8]

        /// The line of a key file that holds `secret`.
        public init(name: String, scopes: Set<Scope>, rate: Double?, secret: String) {
            self.init(name: name, scopes: scopes, rate: rate, digest: SHA256.digest(secret.utf8))
        }

        fileprivate init(name: String, scopes: Set<Scope>, rate: Double?, digest: [UInt8]) {
            self.name = name
            self.scopes = scopes
            self.rate = rate
            self.digest = digest
        }

        /// The key's line in a file: name, scopes, digest and perhaps a rate.
        public var line: String {
            let scopes = Scope.allCases.filter(self.scopes.contains).map(\.rawValue).joined(separator: ",")
            let digits = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            return "\(name) \(scopes) sha256:\(digits)" + (rate.map { " rate=\($0)" } ?? "")
        }
    }

    /// Why a file of keys cannot be used; names the line.
    public struct FileError: Error, CustomStringConvertible {
        /// What is wrong.
        public let description: String
    }

    /// The keys in the order of their file.
    public let keys: [Key]

    /// The keys of a text with one a line, `NAME SCOPE[,SCOPE...] sha256:DIGEST [rate=PER_SECOND]`; empty lines and
    /// those that begin with # are skipped.
    public init(parsing text: String) throws(FileError) {
        var keys: [Key] = []
        // Lines end in LF or CRLF, which is one character to Swift.
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            do throws(FileError) {
                let key = try Self.key(words)
                guard !keys.contains(where: { $0.name == key.name }) else {
                    throw FileError(description: "a second key called '\(key.name)'")
                }
                guard !keys.contains(where: { $0.digest == key.digest }) else {
                    throw FileError(description: "a key that stands above already")
                }
                keys.append(key)
            } catch {
                throw FileError(description: "line \(index + 1): \(error.description)")
            }
        }
        // A file that lets nobody in is a mistake.
        guard !keys.isEmpty else { throw FileError(description: "there is no key in it") }
        self.keys = keys
    }

    private static func key(_ words: [String]) throws(FileError) -> Key {
        guard (3...4).contains(words.count) else {
            throw FileError(description: "name, scopes and digest are expected, and perhaps a rate")
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
        guard words[2].hasPrefix("sha256:"), let digest = bytes(ofHexadecimal: words[2].dropFirst(7)) else {
            throw FileError(description: "the digest is not sha256: and 64 hexadecimal digits")
        }
        guard words.count == 4 else { return Key(name: words[0], scopes: scopes, rate: nil, digest: digest) }
        guard words[3].hasPrefix("rate="), let rate = Double(words[3].dropFirst(5)), rates.contains(rate) else {
            throw FileError(description: "'\(words[3])' is no rate=, from 0.001 to 1000000 requests a second")
        }
        return Key(name: words[0], scopes: scopes, rate: rate, digest: digest)
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

    /// The key that `head` carries as a bearer token (RFC 6750, section 2.1); nil if it carries none that is known.
    ///
    /// Every key is compared, each in constant time: how long it takes tells nothing.
    func holder(of head: RequestHead) -> Key? {
        guard let field = head.headers["authorization"], field.utf8.count <= 1024 else { return nil }
        let words = field.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        let digest = SHA256.digest(words[1].utf8)
        var found: Key?
        for key in keys where equalInConstantTime(key.digest, digest) { found = key }
        return found
    }
}
