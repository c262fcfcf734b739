public import ArgumentParser
public import Client
import Foundation

extension ResultFormat: ExpressibleByArgument {}

/// Command that scores images.
struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Scores images.",
        discussion: """
            Results are written in the order of the inputs. The exit status is 0 if all images have a score, 1 if one \
            has none, and 3 if one is anomalous and --fail-on-anomalous is used. Research use only, not for diagnosis.
            """
    )

    @OptionGroup var input: InputOptions
    @OptionGroup(title: "Image options") var image: ImageOptions
    @OptionGroup(title: "DICOM options") var dicom: DICOMOptions
    @OptionGroup(title: "Server options") var connection: ConnectionOptions
    @OptionGroup(title: "Run options") var runOptions: RunOptions

    @Flag(help: "Add what each score was computed from (only in jsonl).")
    var provenance = false

    @Option(help: ArgumentHelp("Format of the results.", valueName: "format"))
    var format: ResultFormat?

    @Option(
        help: ArgumentHelp("Write the results to a file, which is replaced.", valueName: "file"),
        completion: .file()
    )
    var out: String?

    @Option(
        help: ArgumentHelp(
            "Write the results to a file, and continue it if it exists: images with a score in it are not scored again.",
            discussion: "The format is csv for a name that ends with .csv, otherwise jsonl, unless --format says so.",
            valueName: "file"
        ),
        completion: .file()
    )
    var resume: String?

    @Flag(help: "Exit with status 3 if an image is anomalous.")
    var failOnAnomalous = false

    private var chosenFormat: ResultFormat {
        if let format { return format }
        guard let resume else { return .table }
        return resume.lowercased().hasSuffix(".csv") ? .csv : .jsonl
    }

    func validate() throws {
        guard out == nil || resume == nil else { throw ValidationError("--out and --resume cannot be used together") }
        guard resume == nil || chosenFormat != .table else {
            throw ValidationError("--resume needs --format csv or jsonl: a table cannot be continued")
        }
        guard !provenance || chosenFormat == .jsonl else {
            throw ValidationError("--provenance needs --format jsonl: the other formats have no column for it")
        }
    }

    func run() throws {
        let imageRun = ImageRun("score", connection, input, runOptions)
        var counts = ImageRun.Counts()
        let list = try imageRun.inputs(&counts)
        let client = try connection.client()
        let model = try client.model(image.model)
        let output = try ScoreOutput(chosenFormat, out: out, resume: resume, model, inputs: list.paths)
        let done = output.done
        let paths = list.paths.enumerated().map { (index: $0.offset, path: $0.element) }.filter {
            !done.contains($0.path, frame: nil)
        }
        if done.count > 0, !runOptions.quiet {
            Messages.show("\(done.count) images already have a score in \(resume ?? "")")
        }
        let reader = InputReader(
            maximumBytes: model.limits.bodyBytes,
            renderDICOM: DICOMInput(dicom, for: model).images
        )
        let parameters = image.parameters + (provenance ? [("provenance", "true")] : [])
        defer { output.end() }
        try imageRun.forEach(
            paths,
            concurrency: runOptions.concurrency ?? model.concurrency,
            showsRows: output.isStandardOutput
        ) { index, path in
            let images = reader.images(of: path).filter { $0.frame == nil || !done.contains(path, frame: $0.frame) }
            return try ImageRun.outcomes(of: images) { (file) throws(ClientError) in
                try client.score(file, model: model.name, parameters)
            } _: { image, outcome in
                Record(path: path, index: index, frame: image.frame, outcome)
            }
        } _: { records in
            for record in records {
                try output.write(record)
                counts.done += 1
                counts.failed += record.isFailure ? 1 : 0
                counts.anomalous += record.isAnomalous ? 1 : 0
            }
        }
        try output.finish()
        if chosenFormat != .table, !runOptions.quiet { Messages.show(Messages.notice) }
        try imageRun.finish(counts, failsOnAnomalous: failOnAnomalous, notes: ", \(counts.anomalous) anomalous")
    }
}
