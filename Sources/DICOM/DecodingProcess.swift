import Glibc
import Imaging
import Synchronization

/// Decodes DICOM files in another process, so that hostile files cannot harm this one.
///
/// Files are decoded one after the other; use several instances to decode several at a time. All calls block. The
/// process is started when it is first needed, and again after a failure. Each file is decoded in a process of its own
/// with limits on time and memory, see ``DecodingWorker``.
public final class DecodingProcess: Sendable {
    private let executable: String
    private let arguments: [String]
    private let limits: DecodingLimits
    private let worker = Mutex<WorkerConnection?>(nil)

    /// Prepares a process; `executable` with `arguments` must call ``DecodingWorker/main()``.
    public init(
        executable: String = "/proc/self/exe",
        arguments: [String] = [DecodingWorker.subcommand],
        limits: DecodingLimits = DecodingLimits()
    ) {
        (self.executable, self.arguments, self.limits) = (executable, arguments, limits)
    }

    /// Renders frames of the file at `path`; calls `body` with each frame as soon as it is decoded.
    ///
    /// Returns the metadata of the file. An error of `body` ends the decoding and is thrown; otherwise errors are of type
    /// ``DICOMError``. `body` must not use this instance.
    @discardableResult
    public func render(
        path: String,
        _ options: RenderingOptions = RenderingOptions(),
        _ body: (DICOMMetadata, RenderedFrame) throws -> Void
    ) throws -> DICOMMetadata {
        try run(InputDescriptor(path: path), options, metadataOnly: false, body)
    }

    /// Renders frames of the file in `bytes`, as ``render(path:_:_:)``.
    @discardableResult
    public func render(
        bytes: [UInt8],
        _ options: RenderingOptions = RenderingOptions(),
        _ body: (DICOMMetadata, RenderedFrame) throws -> Void
    ) throws -> DICOMMetadata {
        try run(InputDescriptor(bytes: bytes), options, metadataOnly: false, body)
    }

    /// Reads only the metadata of the file at `path`.
    public func metadata(path: String) throws -> DICOMMetadata {
        try run(InputDescriptor(path: path), RenderingOptions(), metadataOnly: true) { _, _ in }
    }

    /// Reads only the metadata of the file in `bytes`.
    public func metadata(bytes: [UInt8]) throws -> DICOMMetadata {
        try run(InputDescriptor(bytes: bytes), RenderingOptions(), metadataOnly: true) { _, _ in }
    }

    /// Reads the attributes of the patient and the study of the file in `bytes`, for objects that join the study.
    public func studyAttributes(bytes: [UInt8]) throws -> StudyAttributes {
        var request = DecodingRequest(options: RenderingOptions(), metadataOnly: true, limits: limits)
        request.includesStudy = true
        guard let study = try run(InputDescriptor(bytes: bytes), request, { _, _ in }).study else {
            throw DICOMError.processFailed(.invalidAnswer("no attributes of the study"))
        }
        return study
    }

    private func run(
        _ input: borrowing InputDescriptor,
        _ options: RenderingOptions,
        metadataOnly: Bool,
        _ body: (DICOMMetadata, RenderedFrame) throws -> Void
    ) throws -> DICOMMetadata {
        let request = DecodingRequest(options: options, metadataOnly: metadataOnly, limits: limits)
        return try run(input, request, body).metadata
    }

    private func run(
        _ input: borrowing InputDescriptor,
        _ request: DecodingRequest,
        _ body: (DICOMMetadata, RenderedFrame) throws -> Void
    ) throws -> (metadata: DICOMMetadata, study: StudyAttributes?) {
        return try worker.withLock { worker in
            // Only an undisturbed exchange leaves a process that can be used again.
            let kept = worker.take()
            let connection =
                if let kept, kept.isAlive { kept } else {
                    try WorkerConnection(executable: executable, arguments: arguments)
                }
            let exchange = DecodingExchange(connection: connection, options: request.options, limits: limits)
            let result = try exchange.run(request, input.rawValue, body)
            worker = connection
            return try result.get()
        }
    }
}
