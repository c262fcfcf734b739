import ArgumentParser
import Client
import Foundation

/// Command that writes dissolved copies of images.
struct DissolveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dissolve",
        abstract: "Writes copies of images in which fine and rare detail is removed.",
        discussion:
            "Prints the names of the written files. With several steps, a file is a strip: the image, then each step."
    )

    @OptionGroup var input: InputOptions
    @OptionGroup var picture: PictureOptions
    @OptionGroup(title: "Image options") var image: ImageOptions
    @OptionGroup(title: "DICOM options") var dicom: DICOMOptions
    @OptionGroup(title: "Server options") var connection: ConnectionOptions
    @OptionGroup(title: "Run options") var runOptions: RunOptions

    @Option(
        help: ArgumentHelp(
            "Steps of the diffusion, separated by commas; without it the model's own.",
            valueName: "steps"
        )
    )
    var t: String?

    func validate() throws { if let t { try PictureOptions.checkSteps(t) } }

    func run() throws {
        let kind = "dissolve\(t.map { "-t\($0.replacing(",", with: "-"))" } ?? "")"
        let parameters = t.map { [(name: "t", value: $0)] } ?? []
        try picture.write(
            .dissolve,
            kind,
            ImageRun("dissolve", connection, input, runOptions),
            image,
            dicom,
            parameters
        )
    }
}

/// Command that writes heat maps.
struct HeatmapCommand: ParsableCommand {
    /// What a heat map shows.
    enum Subject: String, ExpressibleByArgument, CaseIterable {
        case dissolve, score
    }

    static let configuration = CommandConfiguration(
        commandName: "heatmap",
        abstract: "Writes heat maps of images.",
        discussion: "Prints the names of the written files. Research use only, not for diagnosis."
    )

    @OptionGroup var input: InputOptions
    @OptionGroup var picture: PictureOptions
    @OptionGroup(title: "Image options") var image: ImageOptions
    @OptionGroup(title: "DICOM options") var dicom: DICOMOptions
    @OptionGroup(title: "Server options") var connection: ConnectionOptions
    @OptionGroup(title: "Run options") var runOptions: RunOptions

    @Option(
        help: ArgumentHelp(
            "What is shown: what dissolving changes, or where the score comes from.",
            valueName: "subject"
        )
    )
    var of: Subject = .dissolve

    @Option(help: ArgumentHelp("Step of the diffusion; without it the model's own.", valueName: "step"))
    var t: String?

    @Flag(help: "The map alone, not over the image.")
    var plain = false

    func validate() throws {
        if let t { try PictureOptions.checkSteps(t) }
        guard t == nil || of == .dissolve else { throw ValidationError("--t has no meaning with --of score") }
    }

    func run() throws {
        let step = t.map { "-t\($0.replacing(",", with: "-"))" } ?? ""
        var parameters = [(name: "of", value: of.rawValue)]
        if let t { parameters.append(("t", t)) }
        if plain { parameters.append(("overlay", "false")) }
        let kind = "heatmap-\(of.rawValue)\(step)\(plain ? "-plain" : "")"
        try picture.write(.heatmap, kind, ImageRun("heatmap", connection, input, runOptions), image, dicom, parameters)
    }
}
