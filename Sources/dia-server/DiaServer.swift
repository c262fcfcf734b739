import ArgumentParser
import Console
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
        StandardStream.openMissing()
        // A closed pipe is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            let given = Array(CommandLine.arguments.dropFirst())
            if given == ["--help"] || given == ["-h"] {
                return try StandardStream.output.write(help)
            }
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
            let status = exitCode(for: error).rawValue
            let stream = status == 0 ? StandardStream.output : .error
            do {
                try stream.write(fullMessage(for: error) + "\n")
            } catch {
                Foundation.exit(1)
            }
            Foundation.exit(status)
        }
    }

    /// The options of the default command, which is what most people ask for, and the name of the other one.
    private static var help: String {
        """
        \(helpMessage(for: Serve.self))

        OTHER COMMANDS:
          hash-key                \(HashKey.configuration.abstract)

          See 'dia-server hash-key --help'.

        """
    }
}
