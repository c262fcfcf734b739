import ArgumentParser
import Console
import Foundation
import InferenceService

/// Entry point of the inference service: parses options and runs a command.
@main
struct DiaServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia-server",
        abstract: "Serves DIA models over HTTP. For research use, not for diagnosis.",
        version: InferenceService.version,
        subcommands: [Serve.self, ShowConfiguration.self, HashKey.self],
        defaultSubcommand: Serve.self
    )

    /// Reads the options from all sources, then runs the command.
    static func main() async {
        MemoryAllocator.returnFreedMemory()
        StandardStream.openMissing()
        // A closed pipe is a write error and must not terminate the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            let given = Array(CommandLine.arguments.dropFirst())
            if given == ["--help"] || given == ["-h"] {
                return try StandardStream.output.write(help)
            }
            var command = try parseAsRoot(arguments(given))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            StandardStream.exit(status: exitCode(for: error).rawValue, message: fullMessage(for: error) + "\n")
        }
    }

    /// Returns the arguments with those from other sources, after the name of the command.
    private static func arguments(_ given: [String]) throws -> [String] {
        guard given.first != HashKey.configuration.commandName, given.first != "help" else { return given }
        let named = [Serve.configuration.commandName, ShowConfiguration.configuration.commandName]
        let command = given.prefix(1).filter(named.contains)
        let options = Array(given.dropFirst(command.count))
        return try command + OptionSources(options, environment: ProcessInfo.processInfo.environment).arguments
    }

    /// Help on the default command's options, with the names of the other commands.
    private static var help: String {
        """
        \(helpMessage(for: Serve.self))

        OTHER COMMANDS:
          config                  \(ShowConfiguration.configuration.abstract)
          hash-key                \(HashKey.configuration.abstract)

          See 'dia-server help COMMAND'.

        """
    }
}
