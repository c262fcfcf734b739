import ArgumentParser
import Console
import Foundation

/// Command that prints the value of every option and where it comes from.
struct ShowConfiguration: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Prints the value of every option and its source.",
        discussion: """
            It takes the options of the server, from the same sources: the command line, the environment and the \
            configuration file. Paths are printed, but not the contents of files.
            """
    )

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var options: ServerOptions

    private struct Entry: Encodable {
        let name: String
        let value: OptionValue
        let source: String
        /// The variable or the file.
        let place: String?

        enum CodingKeys: String, CodingKey {
            case value, source, place
        }
    }

    func run() throws {
        // The arguments were already read with these sources, so this cannot fail.
        let sources = try OptionSources(
            Array(CommandLine.arguments.dropFirst(2)),
            environment: ProcessInfo.processInfo.environment
        )
        let entries = ServerOptions.named.map { option in
            let (source, place): (String, String?) =
                switch sources.source(of: option.name) {
                case .commandLine: ("command line", nil)
                case .environment(let variable): ("environment", variable)
                case .file(let path): ("file", path)
                case .default: ("default", nil)
                }
            return Entry(name: option.name, value: option.value(options), source: source, place: place)
        }
        guard !json else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let object = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })
            return try StandardStream.output.write(String(decoding: encoder.encode(object), as: UTF8.self) + "\n")
        }
        let nameWidth = entries.map(\.name.count).max() ?? 0
        let valueWidth = entries.map(\.value.description.count).max() ?? 0
        for entry in entries {
            let name = entry.name.padding(toLength: nameWidth, withPad: " ", startingAt: 0)
            let value = entry.value.description.padding(toLength: valueWidth, withPad: " ", startingAt: 0)
            let source = [entry.source, entry.place].compactMap { $0 }.joined(separator: " ")
            try StandardStream.output.write("\(name)  \(value)  \(source)\n")
        }
    }
}
