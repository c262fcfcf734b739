import Codecs
import DIA
import HTTP
import Imaging
import ModelFile

/// A decoded image in the required sizes.
struct PreparedImage: Sendable {
    /// Header of the PNG.
    let header: PNG.Header
    /// The image in the model's input format.
    let input: Image
    /// Whether the image is like the model's calibration images; nil if that was not requested or is unknown.
    let check: InputCheck.Result?
    /// SHA-256 of the decoded samples, see ``PixelDigest``; nil if the image is not scored, or is not from a file.
    let pixelDigest: String?
    /// The faults of the file that were tolerated.
    let defects: [PNG.Defect]
    /// Suspicions about the samples, for the client.
    let suspicions: [String]
    /// The image to show, if requested.
    let shown: ByteImage?
    /// Memory reserved for ``shown`` and the response made from it.
    let memory: MemoryBudget.Reservation?

    /// Decodes `image` row by row into the model's input.
    ///
    /// The original image is kept only if `shown` requires it. Without `shown`, the image is to be scored, and is
    /// checked.
    init(
        _ image: EncodedImage,
        for model: Model.Information,
        rendering: Rendering,
        shown: ImageInput.Shown?,
        maximumPixels: Int,
        _ context: WorkPool.Context
    ) throws(ServiceError) {
        let bytes = try image.bytes()
        let target = model.manifest.input
        var largestSample: Float = 0
        do throws(PNGError) {
            let result = try PNG.withReader(bytes, maximumPixels: maximumPixels, asGray: target.channels == 1) {
                (reader) throws(PNGError) in
                var resizer = RowResizer(
                    height: reader.header.height,
                    width: reader.header.width,
                    channels: reader.channels,
                    targetHeight: target.height,
                    targetWidth: target.width
                )
                var kept = shown.flatMap { shown in
                    shown.isKept
                        ? ByteImage(
                            height: reader.header.height,
                            width: reader.header.width,
                            channels: shown.channels
                        ) : nil
                }
                let (header, channels) = (reader.header, reader.channels)
                var digest = shown == nil ? PixelDigest(of: reader) : nil
                try reader.forEachRow(
                    isCancelled: { context.isCancelled },
                    decoded: { digest?.append($0, at: $1, $2) }
                ) { row, y, columns in
                    var row = row
                    if header.bitDepth > 8 { largestSample = max(largestSample, row.max() ?? 0) }
                    if channels == 1 { rendering.apply(to: &row, columns) }
                    resizer.add(row, at: y)
                    kept?.put(row, channels: channels, at: y, columns)
                }
                let input = resizer.finish().converted(toChannels: target.channels)
                return (header, input, kept, reader.defects, digest?.finish())
            }
            (header, input, self.shown, defects, pixelDigest) = result
        } catch {
            switch error {
            case .tooManyPixels: throw ServiceError(413, error.description)
            case .invalid: throw ServiceError(400, error.description, reason: error.reason)
            case .cancelled: throw ServiceError(503, "the request was cancelled")
            }
        }
        try rendering.check(header)
        try rendering.check(largestSample: largestSample)
        check = shown == nil ? model.inputCheck?(input) : nil
        suspicions = Self.suspicions(header, rendering, largestSample)
        memory = shown == nil ? nil : context.memory
    }
}

extension PreparedImage {
    /// Tolerated faults of the file and suspicions about the samples, for the client.
    var warnings: [String] { defects.map(\.description) + suspicions }

    private static func suspicions(_ header: PNG.Header, _ rendering: Rendering, _ largestSample: Float) -> [String] {
        guard header.bitDepth == 16, rendering.bits == nil, rendering.window == nil, largestSample * 65535 < 4096 else {
            return []
        }
        return ["the samples use at most a sixteenth of their range; if the image has fewer bits, set 'bits'"]
    }
}

extension ByteImage {
    /// Stores the pixels at `columns` of a row: the channels are copied, one is repeated, or three are converted to
    /// gray.
    fileprivate mutating func put(_ row: [Float], channels count: Int, at y: Int, _ columns: StrideTo<Int>) {
        for column in columns {
            if channels == 1, count == 3 {
                let (red, green, blue) = (row[3 * column], row[3 * column + 1], row[3 * column + 2])
                samples[y * width + column] = Self.byte(0.299 * red + 0.587 * green + 0.114 * blue)
                continue
            }
            for channel in 0..<channels {
                let sample = row[column * count + min(channel, count - 1)]
                samples[(y * width + column) * channels + channel] = Self.byte(sample)
            }
        }
    }
}
