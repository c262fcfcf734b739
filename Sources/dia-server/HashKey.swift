import ArgumentParser
import Console
import InferenceService

/// Command that generates a line for the key file.
struct HashKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hash-key",
        abstract: "Generates an API key and its line for the key file.",
        discussion: """
            The line is written to standard output (dia-server hash-key pacs >> keys), the key to standard error. \
            The key is not stored; give it to its holder.
            """
    )

    @Argument(help: "Name of the key's holder in logs: letters, digits, dots, dashes, underscores.")
    var name: String

    @Option(help: "Scopes of the key, separated by commas: score, metrics, admin.")
    var scopes: String = "score"

    @Option(help: "Maximum requests per second.")
    var rate: Double?

    @Flag(help: "Read the key from standard input instead of generating one: at least 20 characters, no blanks.")
    var stdin = false

    func validate() throws {
        guard APIKeys.isName(name) else {
            throw ValidationError("a name must consist of 1 to 64 letters, digits, dots, dashes and underscores")
        }
        _ = try parsedScopes()
        if let rate, !APIKeys.rates.contains(rate) {
            throw ValidationError("--rate is \(rate), but must be from 0.001 to 1000000")
        }
    }

    private func parsedScopes() throws -> Set<Scope> {
        do {
            return try Scope.set(of: scopes)
        } catch {
            throw ValidationError("--scopes: \(error)")
        }
    }

    func run() throws {
        let secret = stdin ? try given() : Self.randomKey()
        let key = APIKeys.Key(name: name, scopes: try parsedScopes(), rate: rate, secret: secret)
        // The key is written first: a line without its key would be useless.
        if !stdin { try StandardStream.error.write("\(secret)\n") }
        try StandardStream.output.write("\(key.line)\n")
    }

    /// Reads a key from standard input; the minimum length protects the key's digest from guessing.
    private func given() throws -> String {
        let text = readLine() ?? ""
        guard text.utf8.count >= 20, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValidationError("a key must have at least 20 characters, printable ASCII without blanks")
        }
        return text
    }

    /// Returns a new key with 260 random bits.
    private static func randomKey() -> String {
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdefghijklmnopqrstuv")
        return "dia_" + String((0..<52).map { _ in digits[Int.random(in: 0..<32, using: &generator)] })
    }
}
