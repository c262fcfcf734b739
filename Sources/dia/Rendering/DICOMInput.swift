import Client
import Codecs
import DICOM
import Synchronization

/// Reads DICOM files as images to be sent, each with a decoding process that no other file uses at the same time.
final class DICOMInput: Sendable {
    private let options: RenderingOptions
    private let limits: DecodingLimits
    private let idle = Mutex<[DecodingProcess]>([])

    /// Creates a reader; files are rendered as the images that `model` was calibrated with, unless `options` differ.
    init(_ options: DICOMOptions, for model: ModelSummary) {
        let usual: RenderingOptions.Mapping =
            switch model.rendering?.window {
            case "full": .full
            case "none": .none
            default: .voi(index: nil)
            }
        self.options = options.rendering(usual: usual)
        limits = options.limits
    }

    /// Returns the frames of the file at `path` as PNG files, or the error.
    func images(of path: InputPath) -> [InputImage] {
        let process = idle.withLock { $0.popLast() } ?? DecodingProcess(limits: limits)
        defer { idle.withLock { $0.append(process) } }
        var images: [InputImage] = []
        do {
            try process.render(bytes: FileSystem.read(path, limit: Self.largestFile), options) { metadata, frame in
                let number = metadata.numberOfFrames > 1 ? frame.record.frame : nil
                images.append(InputImage(path: path, frame: number, content: .success(PNG.encode(frame.image))))
            }
            return images
        } catch {
            // The frames before the error are sent.
            return images + [InputImage(path: path, content: .failure(InputError("\(error)")))]
        }
    }

    /// The largest file that is read, in bytes.
    private static let largestFile = 1 << 31
}
