import ArgumentParser
import Console
import DICOM
import Foundation
import InferenceService

/// Entry point of the client: parses options and runs a command.
@main
struct Dia: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia",
        abstract: "Scores images with DIA models. For research use, not for diagnosis.",
        version: InferenceService.version,
        subcommands: [
            ScoreCommand.self, DissolveCommand.self, HeatmapCommand.self, RenderCommand.self, ModelsCommand.self,
            HealthCommand.self, OrthancCommand.self,
        ]
    )

    static func main() async {
        // First, because the decoding process must have a single thread.
        DecodingWorker.runIfRequested(CommandLine.arguments)
        StandardStream.openMissing()
        // A closed pipe is a write error and must not terminate the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            StandardStream.exit(status: exitCode(for: error).rawValue, message: message(for: error))
        }
    }

    /// Returns the text that is shown for `error`: nothing for an exit status alone.
    private static func message(for error: any Error) -> String {
        let text = fullMessage(for: error)
        return text.isEmpty ? "" : text + "\n"
    }
}
