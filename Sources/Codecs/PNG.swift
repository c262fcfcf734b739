public import Imaging

/// An error while decoding a PNG.
public enum PNGError: Error, Equatable, CustomStringConvertible {
    /// The data is not a valid PNG, or is truncated.
    case invalid(String)
    /// The image in the header has more pixels, or a longer side, than allowed.
    case tooManyPixels(width: Int, height: Int, limit: Int)
    /// The caller cancelled the operation.
    case cancelled

    /// The error message for the client.
    public var description: String {
        switch self {
        case .invalid(let reason): "the image is not a valid PNG: \(reason)"
        case .tooManyPixels(let width, let height, let limit):
            "the image is \(width) x \(height) pixels, the limit is \(limit) pixels and \(PNG.maximumSide) a side"
        case .cancelled: "decoding was cancelled"
        }
    }
}

/// Decodes and encodes PNG files.
public enum PNG {
    /// The first bytes of every file (PNG specification, section 5.2).
    public static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// The longest side of an image that is decoded.
    ///
    /// It is far larger than any scan, and small enough that a small file with a large declared size cannot take much memory.
    public static let maximumSide = 32_768

    /// The contents of a file header.
    public struct Header: Sendable, Hashable {
        /// The number of columns and rows.
        public let width, height: Int
        /// The bits per sample, or per palette index: 1, 2, 4, 8 or 16.
        public let bitDepth: Int
        /// The color type.
        public let color: ColorType

        /// Creates a header, also for an image of another source that is processed like a PNG.
        package init(width: Int, height: Int, bitDepth: Int, color: ColorType) {
            (self.width, self.height, self.bitDepth, self.color) = (width, height, bitDepth, color)
        }
    }

    /// The color types of a PNG.
    public enum ColorType: String, Sendable, Hashable {
        /// Gray.
        case gray
        /// Gray with alpha.
        case grayAlpha = "gray-alpha"
        /// Red, green, blue.
        case rgb
        /// Red, green, blue with alpha.
        case rgbAlpha = "rgb-alpha"
        /// Indices into a palette.
        case palette

        init?(colorType: UInt8) {
            switch colorType {
            case 0: self = .gray
            case 2: self = .rgb
            case 3: self = .palette
            case 4: self = .grayAlpha
            case 6: self = .rgbAlpha
            default: return nil
            }
        }
    }

    /// An image with the header of its file.
    public struct Decoded: Sendable {
        /// The file's header.
        public let header: Header
        /// The pixels: one channel for gray, three for color unless converted to gray; composited on black.
        public let image: Image
        /// The faults of the file that cost no pixel.
        public let defects: [Defect]
    }

    /// Decodes a PNG of any valid color type, bit depth and interlace method.
    ///
    /// An image with more than `maximumPixels` is rejected before memory is allocated for it. gAMA, sRGB, iCCP and
    /// all other ancillary chunks except tRNS are skipped and not validated. A ``Defect`` is tolerated, any other invalid
    /// data is an error. The bytes of the file are not copied. With `asGray`, colors are converted to gray as
    /// in ``Imaging/Image/converted(toChannels:)``, row by row, which takes a third of the memory.
    public static func decode(
        _ bytes: some Collection<UInt8>,
        maximumPixels: Int,
        asGray: Bool = false
    ) throws(PNGError) -> Decoded {
        try withReader(bytes, maximumPixels: maximumPixels, asGray: asGray) { (reader) throws(PNGError) in
            let image = try reader.image()
            return Decoded(header: reader.header, image: image, defects: reader.defects)
        }
    }

    /// Calls `body` with a reader of the rows of a PNG; the arguments and errors are those of
    /// ``decode(_:maximumPixels:asGray:)``.
    public static func withReader<Result>(
        _ bytes: some Collection<UInt8>,
        maximumPixels: Int,
        asGray: Bool,
        _ body: (borrowing PNGReader) throws(PNGError) -> Result
    ) throws(PNGError) -> Result {
        func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(PNGError) -> Result {
            let reader = try unsafe PNGReader(bytes, maximumPixels: maximumPixels, asGray: asGray)
            return try body(reader)
        }
        let result = bytes.withContiguousStorageIfAvailable { bytes in
            Swift.Result { () throws(PNGError) in try unsafe read(bytes) }
        }
        guard let result else {
            return try withReader(Array(bytes), maximumPixels: maximumPixels, asGray: asGray, body)
        }
        return try result.get()
    }

    /// The size in the header of a PNG; nil if the bytes do not start with a PNG header or a side exceeds ``maximumSide``.
    ///
    /// Reads only the first 24 bytes, so that the cost of a file can be estimated before it is decoded.
    public static func declaredSize(_ bytes: some Collection<UInt8>) -> (height: Int, width: Int)? {
        let head = Array(bytes.prefix(24))
        guard head.count == 24, head[12..<16].elementsEqual("IHDR".utf8) else { return nil }
        func number(_ place: Int) -> Int { head[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
        let (height, width) = (number(20), number(16))
        return (1...maximumSide).contains(height) && (1...maximumSide).contains(width) ? (height, width) : nil
    }
}
