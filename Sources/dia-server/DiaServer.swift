import ArgumentParser
import Foundation
import InferenceService

/// The inference service's process: options in, modules wired, signals obeyed.
@main
struct DiaServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia-server",
        abstract: "Serves DIA models over HTTP. For research use, not for diagnosis.",
        version: InferenceService.version,
        subcommands: [Serve.self, HashKey.self],
        defaultSubcommand: Serve.self
    )

    /// The entry point: options from all their sources, then the command.
    static func main() async {
        do {
            let given = Array(CommandLine.arguments.dropFirst())
            var command = try parseAsRoot(
                given.first == HashKey.configuration.commandName
                    ? given : OptionSources.arguments(given, environment: ProcessInfo.processInfo.environment)
            )
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: error)
        }
    }
}
