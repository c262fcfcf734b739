public import Imaging

/// Why bytes are not an image that can be used.
public enum PNGError: Error, Equatable, CustomStringConvertible {
    /// The bytes are not a PNG, broken, or cut short.
    case invalid(String)
    /// The header promises more pixels, or a longer side, than allowed.
    case tooManyPixels(width: Int, height: Int, limit: Int)
    /// Nobody waits for the image any more.
    case cancelled

    /// What is wrong, in words for the sender.
    public var description: String {
        switch self {
        case .invalid(let reason): "the image is not a valid PNG: \(reason)"
        case .tooManyPixels(let width, let height, let limit):
            "the image is \(width) x \(height) pixels, the limit is \(limit) in all and \(PNG.maximumSide) a side"
        case .cancelled: "decoding was cancelled"
        }
    }
}

/// PNG files: the way of bytes into images and back.
public enum PNG {
    /// The longest side of an image that is decoded: far beyond any scan, and short enough that no image
    /// of few bytes costs much memory by its shape alone.
    public static let maximumSide = 32_768

    /// What a file's header says of its pixels.
    public struct Header: Sendable, Hashable {
        /// Columns and rows.
        public let width, height: Int
        /// Bits of a sample (of a palette index, with a palette): 1, 2, 4, 8 or 16.
        public let bitDepth: Int
        /// The color type.
        public let color: ColorType
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

    /// An image with what its file said of it.
    public struct Decoded: Sendable {
        /// The file's header.
        public let header: Header
        /// The pixels: one channel for gray, three for color unless that was made gray; alpha composed on black.
        public let image: Image
    }

    /// Decodes a PNG of any legal color type, depth and interlace.
    ///
    /// More than `maximumPixels` are refused before anything is allocated for them. gAMA, sRGB, iCCP and
    /// all other ancillary chunks but tRNS are skipped unread, sound or not; of all else, damage of any kind
    /// is an error, as are bytes after the end. The file's bytes are not copied. With `asGray`, colors become gray as
    /// ``Imaging/Image/converted(toChannels:)`` makes them, row by row and so in a third of the memory.
    public static func decode(
        _ bytes: some Collection<UInt8>,
        maximumPixels: Int,
        asGray: Bool = false
    ) throws(PNGError) -> Decoded {
        try withReader(bytes, maximumPixels: maximumPixels, asGray: asGray) { (reader) throws(PNGError) in
            let image = try reader.image()
            return Decoded(header: reader.header, image: image)
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

    /// The size that the header of a PNG promises, no side beyond ``maximumSide``; nil if these bytes do not begin like a
    /// PNG, or like one that would be refused.
    ///
    /// Looks at 24 bytes only: how much work a file will be can be told before it is looked at closely.
    public static func promisedSize(_ bytes: some Collection<UInt8>) -> (height: Int, width: Int)? {
        let head = Array(bytes.prefix(24))
        guard head.count == 24, head[12..<16].elementsEqual("IHDR".utf8) else { return nil }
        func number(_ place: Int) -> Int { head[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
        let (height, width) = (number(20), number(16))
        return (1...maximumSide).contains(height) && (1...maximumSide).contains(width) ? (height, width) : nil
    }
}
