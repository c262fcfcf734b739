import ArgumentParser
import Console
import Foundation
import Training

/// The command-line tool for offline training.
@main
struct DiaTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia-train",
        abstract: "Trains and evaluates DIA models. For research use, not for diagnosis.",
        subcommands: [
            Run.self, Diffusion.self, Encoder.self, Calibrate.self, Evaluate.self, Init.self, Inspect.self,
            Synthesize.self,
        ]
    )

    /// The entry point; if a message cannot be written, the process ends with status 1 and not by a signal.
    static func main() {
        StandardStream.openMissing()
        signal(SIGPIPE, SIG_IGN)
        Interruption.watch()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let error: any Error = FileFailure(error) ?? error
            StandardStream.exit(status: exitCode(for: error).rawValue, message: fullMessage(for: error) + "\n")
        }
    }
}
