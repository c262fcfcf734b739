import Client
import Foundation

/// Where the records of `dia score` go.
final class ScoreOutput {
    private let format: ResultFormat
    private let file: ResultFile
    private let model: ModelSummary
    private let isResumable: Bool
    /// Whether records go to standard output.
    let isStandardOutput: Bool
    /// The images that an earlier run has scored.
    let done: Journal.Images
    private var lastSynchronized = ContinuousClock.now
    private var hasWarned = false
    private static let synchronizationPause = Duration.seconds(2)

    /// Opens the output, and writes what precedes the first record.
    init(
        _ format: ResultFormat,
        out: String?,
        resume: String?,
        _ model: ModelSummary,
        inputs: [InputPath]
    ) throws {
        self.format = format
        self.model = model
        isResumable = resume != nil
        isStandardOutput = resume == nil && out == nil
        if let target = out ?? resume, let existing = FileIdentity(InputPath(target)),
            inputs.contains(where: { FileIdentity($0) == existing })
        {
            throw OutputError(description: "\(target) is an input and is not overwritten")
        }
        if let resume {
            let expected = Journal.Model(name: model.name, version: model.version, digest: model.digest)
            let journal = try Journal(resume, format, model: expected)
            (file, done) = (journal.file, journal.done)
            return
        }
        file = try out.map { try ResultFile(creating: $0) } ?? .standardOutput()
        done = Journal.Images()
        if format == .table { try file.write(Array("\(Messages.notice)\n\n".utf8)) }
        try file.write(format.header)
    }

    /// An output that cannot be used.
    struct OutputError: Error, CustomStringConvertible {
        let description: String
    }

    /// Writes `record`; throws if it is by another model than the rest of a file that is continued.
    func write(_ record: Record) throws {
        if let used = try? record.outcome.get().score.model, used.digest != model.digest {
            let message = "the server has loaded another version of the model \(model.name): \(used.version)"
            guard !isResumable else { throw OutputError(description: "\(message); its scores belong in another file") }
            if !hasWarned { Messages.warn(message) }
            hasWarned = true
        }
        try file.write(format.text(of: record))
        // After a loss of power at most a few seconds are repeated.
        guard isResumable, ContinuousClock.now - lastSynchronized >= Self.synchronizationPause else { return }
        try file.synchronize()
        lastSynchronized = .now
    }

    /// Ends a complete output; throws if it cannot be stored.
    func finish() throws { if !isStandardOutput { try file.synchronize() } }

    /// Stores what there is of an output; errors were reported before.
    func end() { if isResumable { try? file.synchronize() } }
}
