import FoundationEssentials
import Imaging

/// The exchange with the decoding process about one file.
struct DecodingExchange {
    let connection: WorkerConnection
    let options: RenderingOptions
    let limits: DecodingLimits

    /// Sends the request, and calls `body` with each frame of the answer.
    ///
    /// Throws if the connection cannot be used again; an error that the process has reported in good order is returned.
    func run(
        _ request: DecodingRequest,
        _ descriptor: Int32,
        _ body: (DICOMMetadata, RenderedFrame) throws -> Void
    ) throws -> Result<(metadata: DICOMMetadata, study: StudyAttributes?), DICOMError> {
        try connection.send(request.message(), descriptor)
        var metadata: DICOMMetadata?
        var study: StudyAttributes?
        var reported: DICOMError?
        while true {
            let deadline = Deadline(seconds: limits.seconds)
            let (kind, length) = try header(before: deadline)
            switch kind {
            case .metadata where metadata == nil:
                metadata = try json(DICOMMetadata.self, length, before: deadline)
            case .study where study == nil && request.includesStudy:
                study = try json(StudyAttributes.self, length, before: deadline)
            case .frame:
                guard let metadata else { throw invalid("a frame without metadata") }
                let frame = try json(DecodingRecord.Frame.self, length, before: deadline)
                try body(metadata, try image(frame, before: deadline))
            case .error where reported == nil:
                reported = try json(DICOMError.self, length, before: deadline)
            case .end where length == 0:
                if let reported { return .failure(reported) }
                guard let metadata else { throw invalid("no metadata") }
                return .success((metadata, study))
            default: throw invalid("an unexpected record")
            }
        }
    }

    private func header(before deadline: Deadline) throws(DICOMError) -> (kind: DecodingRecord.Kind, length: Int) {
        let bytes = try connection.receive(DecodingRecord.headerSize, before: deadline)
        // The limit of pixels is at most 2^31 or so, but comes from the user.
        let (samples, overflow) = options.maximumPixels.multipliedReportingOverflow(by: 2)
        guard let header = DecodingRecord.parse(bytes, maximumSamples: overflow ? .max : samples) else {
            throw invalid("a record of unknown kind or length")
        }
        return header
    }

    private func json<Value: Decodable>(
        _ type: Value.Type,
        _ length: Int,
        before deadline: Deadline
    ) throws(DICOMError) -> Value {
        let bytes = try connection.receive(length, before: deadline)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw invalid("a record that cannot be decoded")
        }
    }

    /// Receives the samples of a frame; their number must fit its size.
    private func image(_ frame: DecodingRecord.Frame, before deadline: Deadline) throws(DICOMError) -> RenderedFrame {
        let (kind, length) = try header(before: deadline)
        guard kind == .samples, frame.height > 0, frame.width > 0, frame.height <= 65_535, frame.width <= 65_535,
            length == 2 * frame.height * frame.width
        else { throw invalid("samples that do not fit the size of the frame") }
        var failure: DICOMError?
        let samples = unsafe [UInt16](unsafeUninitializedCapacity: length / 2) { samples, count in
            do throws(DICOMError) {
                try unsafe connection.receive(
                    into: UnsafeMutableRawBufferPointer(start: samples.baseAddress, count: length),
                    before: deadline
                )
                count = length / 2
            } catch {
                failure = error
                count = 0
            }
        }
        if let failure { throw failure }
        return RenderedFrame(
            image: GrayImage(height: frame.height, width: frame.width, samples: samples),
            record: frame.record
        )
    }

    private func invalid(_ reason: String) -> DICOMError { .processFailed(.invalidAnswer(reason)) }
}
