import ArgumentParser
import Console
import DIA
import Foundation
import ModelFile
import Neural
import Synchronization
import Training

/// The offline trainer.
@main
struct DiaTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia-train",
        abstract: "Trains and evaluates DIA models. For research use, not for diagnosis.",
        subcommands: [
            Run.self, Diffusion.self, Encoder.self, Calibrate.self, Evaluate.self, Synthesize.self,
        ]
    )

    /// The entry point: a message that cannot be written ends the process with status 1, never by a signal.
    static func main() {
        StandardStream.openMissing()
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
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
}

/// What the commands that read data share.
struct DataOptions: ParsableArguments {
    @Option(help: "A MedMNIST .npz file, or a folder with train/LABEL/*.png and test/LABEL/*.png.")
    var data: String

    @Option(help: "The label of the normal images.")
    var normal: String

    @Flag(help: "Leave out images that cannot be read; they are named, but are no error.")
    var skipUnreadable = false

    @Option(help: "Threads; 0 takes one for each processor.")
    var threads: Int = 0

    func validate() throws {
        guard (0...1024).contains(threads) else { throw ValidationError("--threads must be from 0 to 1024") }
    }

    /// The data set; what was left out is named on standard error.
    func load() throws -> DataSet {
        let loaded = try DataSet.load(path: data, skippingUnreadable: skipUnreadable)
        for error in loaded.unreadable {
            try? StandardStream.error.write("left out: \(error)\n")
        }
        try loaded.data.requireLabel(normal)
        return loaded.data
    }

    /// The engine's threads, if the processor can run them at all.
    func workers() throws -> ThreadPool {
        try Processor.requireSupported()
        let count = threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
        try AddressSpace.requireRoom(threads: count)
        return ThreadPool(count: count)
    }
}

/// Ctrl-C and SIGTERM as a question that the training loop asks between two steps.
enum Interruption {
    private static let isAsked = Atomic<Bool>(false)

    /// Starts to catch the signals; the answer turns true with the first.
    static func watch() -> @Sendable () -> Bool {
        // Whoever started this process may have blocked them, as threads of Dispatch do.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&signals, number)
            // Storing a flag is all that a signal handler may do.
            signal(number) { _ in Interruption.isAsked.store(true, ordering: .relaxed) }
        }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        return { isAsked.load(ordering: .relaxed) }
    }
}
