public import ArgumentParser
import DIA
import Foundation
import Kernels
import ModelFile
import Neural
import Synchronization
public import Training

/// The offline trainer.
@main
struct DiaTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia-train",
        abstract: "Trains and evaluates DIA models. For research use, not for diagnosis.",
        subcommands: [Run.self, Evaluate.self, Synthesize.self]
    )
}

/// What the commands that read data share.
struct DataOptions: ParsableArguments {
    @Option(help: "A MedMNIST .npz file, or a folder with train/LABEL/*.png and test/LABEL/*.png.")
    var data: String

    @Option(help: "The label of the normal images.")
    var normal: String

    @Option(help: "Threads; 0 takes one for each processor.")
    var threads: Int = 0

    func validate() throws {
        guard (0...1024).contains(threads) else { throw ValidationError("--threads must be from 0 to 1024") }
    }

    /// The engine's threads, if the processor can run them at all.
    func workers() throws -> Workers {
        try Processor.requireSupported()
        return Workers(count: threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount)
    }
}

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model: diffusion, encoder, bank, calibration, evaluation. Goes on where it stopped."
    )

    @OptionGroup var options: DataOptions

    @Option(help: "The model directory to write.")
    var out: String

    @Option(help: "The recipe, a JSON file; by default recipe.json in the model directory.")
    var recipe: String?

    func run() throws {
        let recipe = try Recipe.load(path: recipe ?? "\(out)/recipe.json")
        let data = try DataSet.load(path: options.data)
        let pipeline = try Pipeline(
            recipe,
            data: data,
            normal: options.normal,
            folder: out,
            workers: options.workers(),
            isInterrupted: Interruption.watch()
        )
        let evaluation = try pipeline.run()
        print(evaluation?.text ?? "No test split with anomalous images: the model is not evaluated.")
    }
}

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measures a model on a split of a data set.")

    @OptionGroup var options: DataOptions

    @Option(help: "The model directory.")
    var model: String

    @Option(help: "The split: train, validation or test.")
    var split: DataSet.Split = .test

    @Option(help: "A folder for report.json, report.md and dissolving.png; without it the figures are only printed.")
    var out: String?

    func run() throws {
        let data = try DataSet.load(path: options.data)
        try data.requireLabel(options.normal)
        let model = try Model(ModelDirectory(path: model), workers: options.workers())
        let evaluation = try Evaluation.run(model, data: data, split: split, normal: options.normal)
        print(evaluation.text)
        guard let out else { return }
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        let manifest = model.information.manifest
        try evaluation.write(to: out, title: "\(manifest.name) \(manifest.version)")
        try DissolvingGrid.write(model, data: data, split: split, normal: options.normal, to: out)
    }
}

struct Synthesize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a labelled data set of procedural phantoms, with and without small lesions."
    )

    @Option(help: "The folder to write.")
    var out: String

    @Option(help: "The side of an image in pixels.")
    var side: Int = 32

    @Option(help: "Normal images to train on.")
    var train: Int = 600

    @Option(help: "Normal images, and as many with a lesion, for validation.")
    var validation: Int = 100

    @Option(help: "Normal images, and as many with a lesion, for the test.")
    var test: Int = 200

    @Option(help: "The seed.")
    var seed: UInt64 = 0

    func validate() throws {
        guard (8...2048).contains(side) else { throw ValidationError("--side must be from 8 to 2048") }
        guard [train, validation, test].allSatisfy({ (0...1_000_000).contains($0) }) else {
            throw ValidationError("--train, --validation and --test must be from 0 to 1,000,000")
        }
    }

    func run() throws {
        let counts = Phantom.Counts(train: train, validation: validation, test: test)
        try Phantom(side: side).writeDataSet(to: out, counts, seed: seed)
        print("\(train + 2 * validation + 2 * test) images in \(out)")
    }
}

/// Ctrl-C and SIGTERM as a question that the training loop asks between two steps.
private enum Interruption {
    private static let isAsked = Atomic<Bool>(false)

    /// Starts to catch the signals; the answer turns true with the first.
    static func watch() -> @Sendable () -> Bool {
        for number in [SIGINT, SIGTERM] {
            // Storing a flag is all that a signal handler may do.
            signal(number) { _ in Interruption.isAsked.store(true, ordering: .relaxed) }
        }
        return { isAsked.load(ordering: .relaxed) }
    }
}

extension DataSet.Split: ExpressibleByArgument {}
