import Codecs
import Imaging
import JPEG

/// Decodes image files, recognized by their first bytes, row by row.
enum ImageFile {
    /// The error when decoding was cancelled.
    struct Cancelled: Error {}

    /// Receives the rows of an image.
    protocol Consumer {
        /// Is called before the first row; rows have `channels` samples per pixel, 1 or 3.
        mutating func begin(_ properties: ImageProperties, channels: Int)
        /// Is called with a row, or with some of its pixels and the others set to 0; rows may come in any order.
        mutating func add(_ row: [Float], at y: Int)
    }

    /// Decodes the image in `bytes` into `consumer`; with `asGray`, colors are converted to gray.
    ///
    /// Throws an error that says what is wrong with the file, or ``Cancelled``.
    static func decode(
        _ bytes: [UInt8],
        into consumer: inout some Consumer,
        asGray: Bool,
        maximumPixels: Int,
        isCancelled: () -> Bool
    ) throws {
        if bytes.starts(with: PNG.signature) {
            do {
                try PNG.withReader(bytes, maximumPixels: maximumPixels, asGray: asGray) { (reader) throws(PNGError) in
                    consumer.begin(ImageProperties(reader.header), channels: reader.channels)
                    try reader.forEachRow(isCancelled: isCancelled) { row, y, _ in consumer.add(row, at: y) }
                }
            } catch PNGError.cancelled {
                throw Cancelled()
            }
        } else if JPEG.hasSignature(bytes) {
            do {
                try JPEG.withReader(bytes, maximumPixels: maximumPixels, asGray: asGray) { (reader) throws(JPEGError) in
                    consumer.begin(ImageProperties(reader.header), channels: reader.channels)
                    try reader.forEachRow(isCancelled: isCancelled) { row, y in consumer.add(row, at: y) }
                }
            } catch JPEGError.cancelled {
                throw Cancelled()
            }
        } else {
            throw Unrecognized(bytes)
        }
    }

    /// The error of a file that is neither a PNG nor a JPEG.
    struct Unrecognized: Error, CustomStringConvertible {
        let description: String

        init(_ bytes: [UInt8]) {
            let kinds: [(name: String, offset: Int, start: [UInt8])] = [
                ("a GIF", 0, Array("GIF8".utf8)), ("a BMP", 0, Array("BM".utf8)), ("a WebP", 8, Array("WEBP".utf8)),
                ("a TIFF", 0, [0x49, 0x49, 0x2A, 0]), ("a TIFF", 0, [0x4D, 0x4D, 0, 0x2A]),
                ("a DICOM", 128, Array("DICM".utf8)), ("an HEIF", 4, Array("ftyp".utf8)),
            ]
            let kind = kinds.first { bytes.dropFirst($0.offset).starts(with: $0.start) }
            description =
                bytes.isEmpty
                ? "the file is empty"
                : "neither a PNG nor a JPEG file by its first bytes" + (kind.map { ", but \($0.name) file" } ?? "")
        }
    }
}

extension ImageProperties {
    init(_ header: PNG.Header) {
        self.init(
            format: "PNG",
            width: header.width,
            height: header.height,
            bitDepth: header.bitDepth,
            color: header.color.rawValue
        )
    }

    init(_ header: JPEG.Header) {
        self.init(
            format: "JPEG",
            width: header.width,
            height: header.height,
            bitDepth: 8,
            color: header.isGray ? "gray" : "rgb"
        )
    }
}

/// Resizes the image of a file while it is decoded, with the same result as resizing the decoded image.
struct ResizingConsumer: ImageFile.Consumer {
    /// The size of the result; nil keeps the size of the image.
    let size: ImageSize?
    private var resizer: RowResizer?

    init(to size: ImageSize?) { self.size = size }

    mutating func begin(_ properties: ImageProperties, channels: Int) {
        resizer = RowResizer(
            height: properties.height,
            width: properties.width,
            channels: channels,
            targetHeight: size?.height ?? properties.height,
            targetWidth: size?.width ?? properties.width
        )
    }

    mutating func add(_ row: [Float], at y: Int) { resizer?.add(row, at: y) }

    /// Returns the resized image; nil if no row was added.
    consuming func finish() -> Image? {
        guard let image = resizer?.finish() else { return nil }
        return size.map { image.converted(toChannels: $0.channels) } ?? image
    }
}
