public import Imaging

/// An error while decoding a JPEG.
public enum JPEGError: Error, Equatable, CustomStringConvertible {
    /// The data is not a valid JPEG, or is truncated.
    case invalid(String)
    /// The file is valid, but has colors that are not supported.
    case unsupportedColors(String)
    /// The image in the header has more pixels, or a longer side, than allowed.
    case tooManyPixels(width: Int, height: Int, limit: Int)
    /// The caller cancelled the operation.
    case cancelled

    /// The error message.
    public var description: String {
        switch self {
        case .invalid(let reason): "the image is not a valid JPEG: \(reason)"
        case .unsupportedColors(let colors): "the JPEG has \(colors) colors; convert it to gray or RGB"
        case .tooManyPixels(let width, let height, let limit):
            "the image is \(width) x \(height) pixels, the limit is \(limit) pixels and \(JPEG.maximumSide) a side"
        case .cancelled: "decoding was cancelled"
        }
    }
}

/// Decodes JPEG files.
public enum JPEG {
    /// The longest side of an image that is decoded.
    public static let maximumSide = 32_768

    /// The largest memory for the coefficients of a progressive file, in bytes; enough for 80 megapixels in color.
    static let maximumMemory = 512 << 20

    /// The contents of a file header.
    public struct Header: Sendable, Hashable {
        /// The number of columns and rows.
        public let width, height: Int
        /// Whether the image is gray; otherwise it has colors.
        public let isGray: Bool
        /// Whether the file is progressive.
        public let isProgressive: Bool
    }

    /// An image with the header of its file.
    public struct Decoded: Sendable {
        /// The file's header.
        public let header: Header
        /// The pixels: one channel for gray, three for color unless converted to gray.
        public let image: Image
    }

    /// Whether `bytes` start like a JPEG file.
    public static func hasSignature(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.starts(with: [0xFF, 0xD8, 0xFF])
    }

    /// Decodes a baseline or progressive JPEG of 8 bits per sample.
    ///
    /// An image with more than `maximumPixels` is rejected before memory is allocated for it. With `asGray`, colors are
    /// converted to gray as in ``Imaging/Image/converted(toChannels:)``. The EXIF orientation is ignored. Damaged data,
    /// which libjpeg would only warn about, is an error.
    public static func decode(
        _ bytes: some Collection<UInt8>,
        maximumPixels: Int,
        asGray: Bool = false
    ) throws(JPEGError) -> Decoded {
        try withReader(bytes, maximumPixels: maximumPixels, asGray: asGray) { (reader) throws(JPEGError) in
            let (header, channels) = (reader.header, reader.channels)
            var samples: [Float] = []
            try reader.forEachRow { row, _ in samples += row }
            let image = Image(height: header.height, width: header.width, channels: channels, samples: samples)
            return Decoded(header: header, image: image)
        }
    }

    /// Calls `body` with a reader of the rows of a JPEG; the arguments and errors are those of
    /// ``decode(_:maximumPixels:asGray:)``.
    public static func withReader<Result>(
        _ bytes: some Collection<UInt8>,
        maximumPixels: Int,
        asGray: Bool,
        _ body: (borrowing JPEGReader) throws(JPEGError) -> Result
    ) throws(JPEGError) -> Result {
        func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(JPEGError) -> Result {
            let reader = try unsafe JPEGReader(bytes, maximumPixels: maximumPixels, asGray: asGray)
            return try body(reader)
        }
        let result = bytes.withContiguousStorageIfAvailable { bytes in
            Swift.Result { () throws(JPEGError) in try unsafe read(bytes) }
        }
        guard let result else {
            return try withReader(Array(bytes), maximumPixels: maximumPixels, asGray: asGray, body)
        }
        return try result.get()
    }
}
