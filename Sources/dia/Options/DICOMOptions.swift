import ArgumentParser
import DICOM

/// The options that say how DICOM files are rendered.
struct DICOMOptions: ParsableArguments {
    @Option(help: "The frames: first, all, or a number from 1.")
    var frame = FrameOption(frames: .first)

    @Option(
        help: ArgumentHelp(
            "voi (the file's first VOI LUT or window), a number from 1 (another one of the file), CENTER,WIDTH, full (all "
                + "values of the stored bits), or none (images of up to 8 bits as they are).",
            discussion: """
                Without the option, images are rendered as those that the model was calibrated with, or as with voi. \
                Without a window in the file, voi takes images of up to 8 bits as they are, and maps deeper ones from \
                their minimum to their maximum.
                """
        )
    )
    var window: WindowOption?

    @Option(help: "The limit of the pixels of a frame.")
    var maxPixels = 100_000_000

    @Option(help: "The limit of the seconds for decoding a frame.")
    var decodingTimeout = 120

    @Option(help: "The limit of the memory of a decoding process, in MB.")
    var maxMemory = 4096

    func validate() throws {
        guard maxPixels > 0 else { throw ValidationError("--max-pixels must be positive") }
        guard (1...86_400).contains(decodingTimeout) else {
            throw ValidationError("--decoding-timeout must be from 1 to 86400")
        }
        guard (512...1 << 24).contains(maxMemory) else {
            throw ValidationError("--max-memory must be from 512 to \(1 << 24)")
        }
    }

    /// The limits of a decoding process.
    var limits: DecodingLimits {
        DecodingLimits(memoryBytes: maxMemory << 20, processorSeconds: decodingTimeout, seconds: decodingTimeout)
    }

    /// How files are rendered; `usual` is the mapping without an option.
    func rendering(usual: RenderingOptions.Mapping) -> RenderingOptions {
        RenderingOptions(mapping: window?.mapping ?? usual, frames: frame.frames, maximumPixels: maxPixels)
    }
}
