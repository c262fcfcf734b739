import ArgumentParser
import Client
import Console
import Foundation

/// The options of commands that write an image for each image.
struct PictureOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Folder for the PNG files; it is made if it is missing.", valueName: "folder"),
        completion: .directory
    )
    var out: String

    /// Throws unless `steps` are integers separated by commas; which ones a model has, the service says.
    static func checkSteps(_ steps: String) throws {
        let words = steps.split(separator: ",", omittingEmptySubsequences: false)
        guard words.allSatisfy({ (1...6).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else {
            throw ValidationError("--t must be integers separated by commas, such as 50,200")
        }
    }

    /// Writes the picture of each input to ``out``, and prints its name.
    func write(
        _ picture: ServiceClient.Picture,
        _ kind: String,
        _ imageRun: ImageRun,
        _ image: ImageOptions,
        _ dicom: DICOMOptions,
        _ parameters: ServiceClient.Parameters
    ) throws {
        var counts = ImageRun.Counts()
        let list = try imageRun.inputs(&counts)
        let client = try imageRun.connection.client()
        let model = try client.model(image.model)
        do {
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        } catch {
            throw ValidationError("--out \(out): the folder cannot be made")
        }
        let identities = Set(list.paths.compactMap { FileIdentity($0) })
        let reader = InputReader(
            maximumBytes: model.limits.bodyBytes,
            renderDICOM: DICOMInput(dicom, for: model).images
        )
        let query = image.parameters + parameters
        let folder = out
        try imageRun.forEach(
            list.paths.enumerated().map { (index: $0.offset, path: $0.element) },
            // Pictures take more memory than scores.
            concurrency: imageRun.run.concurrency ?? min(model.concurrency, 8),
            showsRows: true
        ) { _, path in
            try ImageRun.outcomes(of: reader.images(of: path)) { (file) throws(ClientError) in
                try client.picture(picture, of: file, model: model.name, query)
            } _: { image, outcome -> Result<String, Record.Failure> in
                let name = PictureFile.name(of: path, frame: image.frame, kind: kind)
                let target = "\(folder)/\(name)"
                if case .success(let bytes) = outcome { try PictureFile.write(bytes, to: target, inputs: identities) }
                return outcome.map { _ in target }
            }.map { ($0, path) }
        } _: { outcomes in
            for (outcome, path) in outcomes {
                counts.done += 1
                switch outcome {
                case .success(let target): try StandardStream.output.write("\(target)\n")
                case .failure(let failure):
                    counts.failed += 1
                    Messages.error("\(path.printable): \(failure.text)")
                }
            }
        }
        try imageRun.finish(counts)
    }
}
