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
    /// The image to show, if requested.
    let shown: ByteImage?
    /// Memory reserved for ``shown`` and the response made from it.
    let memory: MemoryBudget.Reservation?

    /// Decodes `image` row by row into the model's input; the original image is kept only if `shown` requires it.
    init(
        _ image: EncodedImage,
        for model: Model.Information,
        shown: ImageInput.Shown?,
        maximumPixels: Int,
        _ context: WorkPool.Context
    ) throws(ServiceError) {
        let bytes = try image.bytes()
        let target = model.manifest.input
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
                let channels = reader.channels
                try reader.forEachRow(isCancelled: { context.isCancelled }) { row, y, columns in
                    resizer.add(row, at: y)
                    kept?.put(row, channels: channels, at: y, columns)
                }
                return (reader.header, resizer.finish().converted(toChannels: target.channels), kept)
            }
            (header, input, self.shown) = result
        } catch {
            switch error {
            case .tooManyPixels: throw ServiceError(413, error.description)
            case .invalid: throw ServiceError(400, error.description)
            case .cancelled: throw ServiceError(503, "the request was cancelled")
            }
        }
        memory = shown == nil ? nil : context.memory
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
