import ArgumentParser
import Console
import Training

/// The options of all commands that train.
struct TrainingOptions: ParsableArguments {
    @OptionGroup var options: DataOptions

    @Option(help: "The model directory to write.")
    var out: String

    @Option(help: "The recipe, a JSON file (default: recipe.json in the model directory).")
    var recipe: String?

    func pipeline() throws -> Pipeline {
        let recipe = try Recipe.load(path: recipe ?? "\(out)/recipe.json")
        return try Pipeline(
            recipe,
            data: options.load(),
            normal: options.normal,
            folder: out,
            workers: options.workers(),
            isInterrupted: Interruption.watch()
        )
    }
}

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model: diffusion, encoder, calibration, evaluation. Resumes an interrupted run."
    )

    @OptionGroup var options: TrainingOptions

    func run() throws {
        let evaluation = try options.pipeline().run()
        let text = evaluation?.text ?? "The test split has no anomalous images, so the model was not evaluated."
        try StandardStream.output.write("\(text)\n")
    }
}

struct Diffusion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains the U-Net that dissolves images and writes unet.safetensors. Resumes an interrupted run."
    )

    @OptionGroup var options: TrainingOptions

    func run() throws { try options.pipeline().trainDiffusion() }
}

struct Encoder: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains the encoder that scores images and writes encoder.safetensors. Resumes an interrupted run."
    )

    @OptionGroup var options: TrainingOptions

    func run() throws { try options.pipeline().trainEncoder() }
}

struct Calibrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fills the bank, calibrates, and writes model.json; the files of the two networks are not changed."
    )

    @OptionGroup var options: TrainingOptions

    @Flag(help: "Then evaluate the model on the test split, as run does, and add the results to model.json.")
    var evaluate = false

    func run() throws {
        let pipeline = try options.pipeline()
        try pipeline.calibrate()
        if evaluate { try StandardStream.output.write("\(pipeline.evaluate().text)\n") }
    }
}
