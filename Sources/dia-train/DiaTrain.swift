import ArgumentParser
import Console
import DIA
import Foundation
import ModelFile
import Neural
import Synchronization
import Training

/// The command-line tool for offline training.
@main
struct DiaTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia-train",
        abstract: "Trains and evaluates DIA models. For research use, not for diagnosis.",
        subcommands: [
            Run.self, Diffusion.self, Encoder.self, Calibrate.self, Evaluate.self, Synthesize.self,
        ]
    )

    /// The entry point; if a message cannot be written, the process ends with status 1 and not by a signal.
    static func main() {
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

/// The options of all commands that read data.
struct DataOptions: ParsableArguments {
    @Option(help: "A MedMNIST .npz file or a folder with train/LABEL/*.png and test/LABEL/*.png.")
    var data: String

    @Option(help: "The label of the normal images.")
    var normal: String

    @Flag(help: "Skip images that cannot be read and print their names, instead of failing.")
    var skipUnreadable = false

    @Option(help: "The number of threads; 0 means one per processor.")
    var threads: Int = 0

    func validate() throws {
        guard (0...1024).contains(threads) else { throw ValidationError("--threads must be from 0 to 1024") }
    }

    /// Loads the data set; prints the names of skipped images to standard error.
    func load() throws -> DataSet {
        let loaded = try DataSet.load(path: data, skippingUnreadable: skipUnreadable)
        for error in loaded.unreadable {
            try? StandardStream.error.write("skipped: \(error)\n")
        }
        try loaded.data.requireLabel(normal)
        return loaded.data
    }

    /// Creates the thread pool of the engine; throws an error if the processor does not support it.
    func workers() throws -> ThreadPool {
        try Processor.requireSupported()
        let count = threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
        try AddressSpace.requireRoom(threads: count)
        return ThreadPool(count: count)
    }
}

/// A flag that is set by Ctrl-C and SIGTERM and that the training loop polls between two steps.
enum Interruption {
    private static let isRequested = Atomic<Bool>(false)

    /// Installs the signal handlers; the returned function returns true after the first signal.
    static func watch() -> @Sendable () -> Bool {
        // The process may have been started with these signals blocked, as Dispatch does in its threads.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&signals, number)
            // A signal handler may only set a flag.
            signal(number) { _ in Interruption.isRequested.store(true, ordering: .relaxed) }
        }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        return { isRequested.load(ordering: .relaxed) }
    }
}
