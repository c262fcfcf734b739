public import ArgumentParser
import Console
import DIA
import ModelFile
public import Training

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluates a model on a split of a data set: metrics, plots, and one line per image."
    )

    @OptionGroup var options: DataOptions

    @Option(help: "The label of the normal images.")
    var normal: String

    @Option(help: "The model directory.")
    var model: String

    @Option(help: "The split to evaluate: train, validation or test.")
    var split: DataSet.Split = .test

    @Option(
        help: """
            A folder for report.json, report.md, scores.csv and plots (docs/training.md); by default the \
            results are only printed.
            """
    )
    var out: String?

    func run() throws {
        let source = try options.list()
        try source.requireLabel(normal)
        let counts = source.count(split, label: normal)
        guard counts.labeled > 0, counts.other > 0 else {
            throw DataError(
                split.rawValue,
                "the split has \(counts.labeled) normal and \(counts.other) anomalous images; an "
                    + "evaluation needs both"
            )
        }
        let workers = try options.workers()
        let model = try Model(ModelDirectory(path: model), workers: workers)
        let input = model.information.manifest.input
        let size = ImageSize(channels: input.channels, height: input.height, width: input.width)
        let data = try options.load(source, size: size, splits: [split, .train])
        let report = try Report(
            model,
            data: data,
            split: split,
            normal: normal,
            workers: workers,
            isInterrupted: Interruption.isRequested
        )
        try StandardStream.output.write("\(report.evaluation.text)\n")
        if let out { try report.write(model, data: data, normal: normal, to: out) }
    }
}

extension DataSet.Split: ExpressibleByArgument {}
