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

    @Option(help: "The model directory.")
    var model: String

    @Option(help: "The split to evaluate: train, validation or test.")
    var split: DataSet.Split = .test

    @Option(
        help: """
            A folder for report.json, report.md, scores.csv, roc.png, histogram.png and dissolving.png; by default the \
            results are only printed.
            """
    )
    var out: String?

    func run() throws {
        let data = try options.load()
        let model = try Model(ModelDirectory(path: model), workers: options.workers())
        let report = try Report(model, data: data, split: split, normal: options.normal)
        try StandardStream.output.write("\(report.evaluation.text)\n")
        if let out { try report.write(model, data: data, normal: options.normal, to: out) }
    }
}

extension DataSet.Split: ExpressibleByArgument {}
