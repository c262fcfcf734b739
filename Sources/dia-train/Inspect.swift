import ArgumentParser
import Console
import Training

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reports what is in a data set: counts, sizes, colors, duplicates, patients in several splits."
    )

    @OptionGroup var options: DataOptions

    @Option(help: "The label of the normal images; with it, the AUROC of a simple score is printed as a floor.")
    var normal: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func run() throws {
        let source = try options.list(printing: !json)
        if let normal { try source.requireLabel(normal) }
        let report = try Inspection(
            source,
            normal: normal,
            threads: options.threadCount,
            isInterrupted: Interruption.isRequested
        )
        try StandardStream.output.write(json ? "\(report.json)\n" : report.text)
    }
}
