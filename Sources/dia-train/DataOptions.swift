import ArgumentParser
import Console
import Foundation
import Neural
import Training

/// The options of all commands that read data.
struct DataOptions: ParsableArguments {
    @Option(
        help: "A MedMNIST .npz file, or a folder with train/LABEL and test/LABEL that hold .png, .jpg or .jpeg files."
    )
    var data: String

    @Option(
        help: """
            A regular expression that finds the patient in an image's path relative to the data: its first group in \
            parentheses, or else the whole match. All images of a patient stay in one split.
            """
    )
    var groups: String?

    @Flag(help: "Skip images that cannot be read and print their names, instead of failing.")
    var skipUnreadable = false

    @Option(help: "The number of threads; 0 means one per processor.")
    var threads: Int = 0

    func validate() throws {
        guard (0...1024).contains(threads) else { throw ValidationError("--threads must be from 0 to 1024") }
    }

    /// The number of threads to use.
    var threadCount: Int { threads > 0 ? threads : ProcessorCount.available }

    /// Lists the data set and prints the number of images by split and label, and what is left out.
    func list(printing: Bool = true) throws -> DataSource {
        let source = try DataSource(
            path: data,
            groups: groups.map { pattern in try GroupPattern(pattern) },
            isInterrupted: Interruption.isRequested
        )
        if printing { try StandardStream.output.write(source.text) }
        return source
    }

    /// Reads the images of `source`, converted to `size`; prints the names of skipped images to standard error.
    func load(
        _ source: DataSource,
        size: ImageSize,
        splits: Set<DataSet.Split> = Set(DataSet.Split.allCases)
    ) throws -> DataSet {
        let loaded = try DataSet.load(
            source,
            size: size,
            splits: splits,
            skippingUnreadable: skipUnreadable,
            threads: threadCount,
            isInterrupted: Interruption.isRequested
        )
        for error in loaded.unreadable {
            try? StandardStream.error.write("skipped: \(error)\n")
        }
        return loaded.data
    }

    /// Creates the thread pool of the engine; throws an error if the processor does not support it.
    func workers() throws -> ThreadPool {
        try Processor.requireSupported()
        try AddressSpace.requireRoom(threads: threadCount)
        return ThreadPool(count: threadCount)
    }
}
