import ArgumentParser
import Console
import DICOM
import Glibc

/// The command-line client.
@main
struct Dia: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia",
        abstract: "Renders medical images for anomaly detection. For research use, not for diagnosis.",
        subcommands: [Render.self]
    )

    /// The entry point; if a message cannot be written, the process ends with status 1 and not by a signal.
    static func main() {
        // First, because the decoding process must have a single thread.
        DecodingWorker.runIfRequested(CommandLine.arguments)
        StandardStream.openMissing()
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            StandardStream.exit(status: exitCode(for: error).rawValue, message: fullMessage(for: error) + "\n")
        }
    }
}
