import ArgumentParser
import Client
import Foundation

/// The part that all commands on many images share: inputs, threads, progress, interruption and the exit status.
struct ImageRun {
    let title: String
    let connection: ConnectionOptions
    let input: InputOptions
    let run: RunOptions
    private let interruption = Interruption()

    init(_ title: String, _ connection: ConnectionOptions, _ input: InputOptions, _ run: RunOptions) {
        (self.title, self.connection, self.input, self.run) = (title, connection, input, run)
    }

    /// What happened to the images.
    struct Counts {
        var done = 0
        var failed = 0
        var anomalous = 0
    }

    /// Returns the list of inputs, and reports what cannot be read.
    func inputs(_ counts: inout Counts) throws -> InputList {
        let list = try input.list()
        for failure in list.failures {
            Messages.error("\(failure.path.printable): \(failure.reason)")
            counts.failed += 1
        }
        if list.skipped > 0, !run.quiet {
            Messages.show("\(list.skipped) files are neither PNG nor DICOM and were skipped")
        }
        return list
    }

    /// Calls `use` with the results of `work` on each of `paths`, in their order.
    ///
    /// An error that concerns all requests, or one of `use`, ends the run with a message.
    func forEach<Output: Sendable>(
        _ paths: [(index: Int, path: InputPath)],
        concurrency: Int,
        showsRows: Bool,
        _ work: @escaping @Sendable (Int, InputPath) throws -> Output,
        _ use: (Output) throws -> Void
    ) throws {
        // Results are small. A window of several rounds keeps all threads busy while one image is repeated.
        let ordered = OrderedRun(count: paths.count, window: max(64, 8 * concurrency)) { place in
            try work(paths[place].index, paths[place].path)
        }
        interruption.onSignal { ordered.interrupt() }
        var progress = Progress(title, total: paths.count, isQuiet: run.quiet, showsRows: showsRows)
        var used = 0
        do {
            try ordered.run(threads: concurrency) { place, output in
                try use(output)
                used = place + 1
                progress.update(used)
            }
        } catch {
            progress.endLine()
            let rest = "\(paths.count - used) of \(paths.count) files have no result"
            guard !(error is OrderedRun<Output>.Interrupted) else {
                Messages.show("Interrupted; \(rest)")
                throw interruption.exitCode
            }
            Messages.error("\(error); \(rest)")
            throw ExitCode.failure
        }
    }

    /// Calls `work` with each image of a file, and returns the results; throws errors that concern all requests.
    static func outcomes<Value, Output>(
        of images: [InputImage],
        _ work: ([UInt8]) throws(ClientError) -> Value,
        _ output: (InputImage, Result<Value, Record.Failure>) throws -> Output
    ) throws -> [Output] {
        try images.map { image in
            switch image.content {
            case .failure(let error): return try output(image, .failure(Record.Failure("\(error)")))
            case .success(let file):
                do {
                    return try output(image, .success(work(file)))
                } catch let error as ClientError {
                    guard !error.concernsAllRequests else { throw error }
                    return try output(image, .failure(Record.Failure(error)))
                }
            }
        }
    }

    /// Shows the summary, and throws the exit status unless it is 0.
    func finish(_ counts: Counts, failsOnAnomalous: Bool = false, notes: String = "") throws {
        if !run.quiet {
            let scored = counts.done - counts.failed
            let noun = counts.done == 1 ? "image" : "images"
            Messages.show("\(counts.done) \(noun): \(max(0, scored)) done, \(counts.failed) failed\(notes)")
        }
        if counts.failed > 0 { throw ExitCode.failure }
        if failsOnAnomalous, counts.anomalous > 0 { throw ExitCode(3) }
    }
}
