import ArgumentParser
import Console
import Training

/// The options of all commands that train.
struct TrainingOptions: ParsableArguments {
    @OptionGroup var options: DataOptions

    @Option(help: "The label of the normal images.")
    var normal: String

    @Option(help: "The model directory to write.")
    var out: String

    @Option(help: "The recipe, a JSON file (default: recipe.json in the model directory).")
    var recipe: String?

    /// Prepares a run; `calibrates` and `evaluates` say whether it is to end with a calibration and with an evaluation.
    func pipeline(calibrates: Bool, evaluates: Bool) throws -> Pipeline {
        let path = recipe ?? "\(out)/recipe.json"
        let recipe = try Recipe.load(path: path)
        let source = try options.list()
        try source.requireLabel(normal)
        let normals = source.count(.train, label: normal).labeled
        if calibrates {
            try recipe.requireEnough(normals: normals)
        } else if normals < recipe.requiredNormals {
            try StandardStream.output.write(
                "note: \(normals) normal images; a calibration will need \(recipe.requiredNormals)\n"
            )
        }
        let test = source.count(.test, label: normal)
        if evaluates, test.labeled == 0 || test.other == 0 {
            try StandardStream.output.write(
                "note: the test split has \(test.labeled) normal and \(test.other) anomalous images; an evaluation needs "
                    + "both, so the model will be trained and calibrated, but not evaluated\n"
            )
        }
        let size = ImageSize(
            channels: recipe.input.channels,
            height: recipe.input.height,
            width: recipe.input.width
        )
        let pipeline = try Pipeline(
            recipe,
            data: options.load(source, size: size),
            normal: normal,
            folder: out,
            workers: options.workers(),
            isInterrupted: Interruption.isRequested,
            snapshot: Interruption.snapshot
        )
        try Recipe.copyFile(from: path, toModel: out)
        return pipeline
    }
}

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model: diffusion, encoder, calibration, evaluation. Resumes an interrupted run."
    )

    @OptionGroup var options: TrainingOptions

    func run() throws {
        let evaluation = try options.pipeline(calibrates: true, evaluates: true).run()
        let text = evaluation?.text ?? "The model is complete. It was not evaluated."
        try StandardStream.output.write("\(text)\n")
    }
}

struct Diffusion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains the U-Net that dissolves images and writes unet.safetensors. Resumes an interrupted run."
    )

    @OptionGroup var options: TrainingOptions

    func run() throws { try options.pipeline(calibrates: false, evaluates: false).trainDiffusion() }
}

struct Encoder: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains the encoder that scores images and writes encoder.safetensors. Resumes an interrupted run."
    )

    @OptionGroup var options: TrainingOptions

    func run() throws { try options.pipeline(calibrates: false, evaluates: false).trainEncoder() }
}
