import ArgumentParser
import Console
import InferenceService

/// Makes a line for a file of keys.
struct HashKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hash-key",
        abstract: "Makes a key, and the line for the file of keys that lets its holder in.",
        discussion: """
            The line goes to standard output (dia-server hash-key pacs >> keys), the key to standard error: it is \
            stored nowhere, hand it to its holder.
            """
    )

    @Argument(help: "What logs call the key's holder: letters, digits, dots, dashes, underscores.")
    var name: String

    @Option(help: "What the key is good for: score, metrics, admin, separated by commas.")
    var scopes: String = "score"

    @Option(help: "The most requests a second.")
    var rate: Double?

    @Flag(help: "Read a key of your own from standard input instead of making one: 20 characters or more, no blanks.")
    var stdin = false

    func validate() throws {
        guard APIKeys.isName(name) else {
            throw ValidationError("a name has 1 to 64 letters, digits, dots, dashes and underscores")
        }
        _ = try parsedScopes()
        if let rate, !APIKeys.rates.contains(rate) {
            throw ValidationError("--rate is \(rate), from 0.001 to 1000000 expected")
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
        let secret = stdin ? try given() : Self.fresh()
        let key = APIKeys.Key(name: name, scopes: try parsedScopes(), rate: rate, secret: secret)
        // The key first: a line without its key would let nobody in.
        if !stdin { try StandardStream.error.write("\(secret)\n") }
        try StandardStream.output.write("\(key.line)\n")
    }

    /// A digest protects a key only if nobody can guess it.
    private func given() throws -> String {
        let text = readLine() ?? ""
        guard text.utf8.count >= 20, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValidationError("a key has 20 characters or more, printable ASCII without blanks")
        }
        return text
    }

    /// 256 random bits.
    private static func fresh() -> String {
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdefghijklmnopqrstuv")
        return "dia_" + String((0..<52).map { _ in digits[Int.random(in: 0..<32, using: &generator)] })
    }
}
