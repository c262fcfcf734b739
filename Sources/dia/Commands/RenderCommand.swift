import ArgumentParser
import Console
import DICOM
import Foundation

/// `dia render`: DICOM files to PNG files.
struct RenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Renders DICOM images as gray PNG files of 16 bits.",
        discussion: """
            Applies the modality LUT or rescale, then the VOI LUT or window, then the inversion of MONOCHROME1. Color \
            becomes gray by Rec. 601. Padding pixels become black. Each file is decoded in a process of its own with \
            limits on time and memory. A line for each image says how it was rendered.
            """
    )

    @Argument(help: "DICOM files, or folders of them.")
    var paths: [String]

    @Option(help: "The folder for the PNG files, created if missing; \"-\" writes a single PNG to standard output.")
    var out = "."

    @OptionGroup var dicom: DICOMOptions

    @Option(help: "The lines on standard output: text or jsonl.")
    var format = RenderFormat.text

    func validate() throws {
        guard out != "-" || paths.count == 1 && dicom.frame.frames != .all else {
            throw ValidationError("only a single image can be written to standard output")
        }
    }

    func run() throws {
        let process = DecodingProcess(limits: dicom.limits)
        let options = dicom.rendering(usual: .voi(index: nil))
        var output = RenderOutput(
            folder: out == "-" ? nil : out,
            format: format,
            isNumbered: dicom.frame.frames != .first
        )
        var failures = 0
        for path in try RenderInputs.files(paths) {
            do {
                try process.render(path: path, options) { _, frame in try output.write(frame, of: path) }
            } catch let error as StandardStream.WriteError {
                throw error
            } catch {
                failures += 1
                try StandardStream.error.write("\(path): \(error)\n")
            }
        }
        if failures > 0 { throw ExitCode(1) }
    }
}
