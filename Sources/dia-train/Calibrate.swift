import ArgumentParser
import Console
import Foundation
import Training

/// Calibrates a model that is being trained, or a finished model with images of a site.
struct Calibrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Calibrates a model.",
        discussion: """
            With --data, this is the stage of a training run: it fills the bank, calibrates, and writes model.json; the \
            files of the two networks are not changed. With --model and --normals, it calibrates a finished model with \
            normal images of a site: only the calibration and the input statistics are replaced.
            """
    )

    @Option(help: "A finished model to calibrate with --normals.")
    var model: String?

    @Option(help: "A folder with normal images of a site, .png, .jpg or .jpeg; folders in it are searched too.")
    var normals: String?

    @Option(help: "The data set of the training run: a MedMNIST .npz file, or a folder with train/LABEL.")
    var data: String?

    @Option(help: "The label of the normal images in --data.")
    var normal: String?

    @Option(help: "A regular expression that finds the patient in an image's path, as for run.")
    var groups: String?

    @Option(help: "The model directory to write.")
    var out: String

    @Option(help: "The recipe of the training run, a JSON file (default: recipe.json in the model directory).")
    var recipe: String?

    @Flag(help: "Skip images that cannot be read and print their names, instead of failing.")
    var skipUnreadable = false

    @Option(help: "The number of threads; 0 means one per processor.")
    var threads: Int = 0

    @Flag(help: "With --data: then evaluate the model on the test split, as run does.")
    var evaluate = false

    func validate() throws {
        if model == nil {
            guard normals == nil else { throw ValidationError("--normals requires --model") }
            guard data != nil, normal != nil else {
                throw ValidationError("use --data and --normal, or --model and --normals")
            }
        } else {
            guard normals != nil else { throw ValidationError("--model requires --normals") }
            guard data == nil, normal == nil, groups == nil, recipe == nil, !evaluate else {
                throw ValidationError("--model and --normals cannot be used with options of a training run")
            }
        }
        try dataOptions.validate()
    }

    func run() throws {
        if let model, let normals {
            try calibrate(model, with: normals)
        } else {
            let pipeline = try trainingOptions.pipeline(calibrates: true, evaluates: evaluate)
            try pipeline.calibrate()
            if evaluate, pipeline.canEvaluate { try StandardStream.output.write("\(pipeline.evaluate().text)\n") }
        }
    }

    private func calibrate(_ model: String, with normals: String) throws {
        let options = dataOptions
        let source = try DataSource(imagesIn: normals, label: "normal", isInterrupted: Interruption.isRequested)
        try StandardStream.output.write(source.text)
        let site = try SiteCalibration(
            model: model,
            out: out,
            workers: options.workers(),
            isInterrupted: Interruption.isRequested
        )
        let images = try options.load(source, size: site.size).splits[.train] ?? []
        try StandardStream.output.write("\(site.run(images.map(\.image)).text)\n")
    }

    private var dataOptions: DataOptions {
        var options = DataOptions()
        options.data = data ?? normals ?? ""
        options.groups = groups
        options.skipUnreadable = skipUnreadable
        options.threads = threads
        return options
    }

    private var trainingOptions: TrainingOptions {
        var options = TrainingOptions()
        options.options = dataOptions
        options.normal = normal ?? ""
        options.out = out
        options.recipe = recipe
        return options
    }
}
