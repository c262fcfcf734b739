import ArgumentParser
import Console
import DICOM
import Foundation

/// `dia render`: DICOM files to PNG files.
struct Render: ParsableCommand {
    static let configuration = CommandConfiguration(
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

    @Option(help: "The frames: first, all, or a number from 1.")
    var frame = FrameOption(frames: .first)

    @Option(
        help: ArgumentHelp(
            "voi (the file's first VOI LUT or window), a number from 1 (another one of the file), CENTER,WIDTH, full (all "
                + "values of the stored bits), or none (images of up to 8 bits as they are).",
            discussion:
                "Without a window in the file, voi takes images of up to 8 bits as they are, and maps deeper ones "
                + "from their minimum to their maximum."
        )
    )
    var window = WindowOption(mapping: .voi(index: nil))

    @Option(help: "The lines on standard output: text or jsonl.")
    var format = RenderFormat.text

    @Option(help: "The limit of the pixels of a frame.")
    var maxPixels = 100_000_000

    @Option(help: "The limit of the seconds for a frame.")
    var timeout = 120

    @Option(help: "The limit of the memory of the decoding process, in MB.")
    var maxMemory = 4096

    func validate() throws {
        guard maxPixels > 0 else { throw ValidationError("--max-pixels must be positive") }
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout must be from 1 to 86400") }
        guard (512...1 << 24).contains(maxMemory) else {
            throw ValidationError("--max-memory must be from 512 to \(1 << 24)")
        }
        guard out != "-" || paths.count == 1 && frame.frames != .all else {
            throw ValidationError("only a single image can be written to standard output")
        }
    }

    func run() throws {
        let process = DecodingProcess(
            limits: DecodingLimits(memoryBytes: maxMemory << 20, processorSeconds: timeout, seconds: timeout)
        )
        let options = RenderingOptions(mapping: window.mapping, frames: frame.frames, maximumPixels: maxPixels)
        var output = RenderOutput(folder: out == "-" ? nil : out, format: format, isNumbered: frame.frames != .first)
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
