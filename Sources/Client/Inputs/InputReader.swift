/// Reads the images of inputs: the one place where kinds of files are distinguished.
public struct InputReader: Sendable {
    /// Returns the images of a DICOM file, rendered as PNG files.
    public typealias DICOMRendering = @Sendable (InputPath) -> [InputImage]

    /// The largest file that is sent, in bytes.
    private let maximumBytes: Int
    private let renderDICOM: DICOMRendering?

    /// Creates a reader; without `renderDICOM`, DICOM files are errors.
    public init(maximumBytes: Int, renderDICOM: DICOMRendering? = nil) {
        self.maximumBytes = maximumBytes
        self.renderDICOM = renderDICOM
    }

    /// Returns the images of the file at `path`, at least one.
    public func images(of path: InputPath) -> [InputImage] {
        let bytes: [UInt8]
        do {
            bytes = try FileSystem.read(path, limit: maximumBytes + 1)
        } catch {
            return [InputImage(path: path, content: .failure(InputError("\(error)")))]
        }
        if InputKind(bytes) == .dicom {
            if let renderDICOM { return renderDICOM(path) }
            let reason = "the file is DICOM, which this dia does not read; convert it to PNG"
            return [InputImage(path: path, content: .failure(InputError(reason)))]
        }
        return [InputImage(path: path, content: content(bytes))]
    }

    private func content(_ bytes: [UInt8]) -> Result<[UInt8], InputError> {
        if bytes.isEmpty { return .failure(InputError("the file is empty")) }
        guard bytes.count <= maximumBytes else {
            return .failure(InputError("the file is larger than the \(maximumBytes) bytes that the server accepts"))
        }
        guard InputKind(bytes) != nil else {
            return .failure(InputError("the file is neither PNG nor DICOM"))
        }
        return .success(bytes)
    }
}
