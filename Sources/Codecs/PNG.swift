import CPNG
import Glibc
public import Imaging

/// Why bytes are no image that can be used.
public enum PNGError: Error, Equatable, CustomStringConvertible {
    /// The bytes are no PNG, broken, or cut short.
    case invalid(String)
    /// The header promises more pixels, or a longer side, than allowed.
    case tooManyPixels(width: Int, height: Int, limit: Int)

    /// What is wrong, in words for the sender.
    public var description: String {
        switch self {
        case .invalid(let reason): "the image is not a valid PNG: \(reason)"
        case .tooManyPixels(let width, let height, let limit):
            "the image is \(width) x \(height) pixels, the limit is \(limit) in all and \(PNG.maximumSide) a side"
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
        /// The colour type.
        public let color: Color
    }

    /// The colour types of a PNG.
    public enum Color: String, Sendable, Hashable {
        /// Grey.
        case gray
        /// Grey with alpha.
        case grayAlpha = "gray-alpha"
        /// Red, green, blue.
        case rgb
        /// Red, green, blue with alpha.
        case rgbAlpha = "rgb-alpha"
        /// Indices into a palette.
        case palette

        fileprivate init?(colorType: UInt8) {
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
        /// The pixels: one channel for grey, three for colour unless that was made grey; alpha composed on black.
        public let image: Image
    }

    /// Decodes a PNG of any legal colour type, depth and interlace (`png_read_image`).
    ///
    /// More than `maximumPixels` are refused before anything is allocated for them. gAMA, sRGB, iCCP and
    /// all other ancillary chunks but tRNS are skipped unread, sound or not; of all else, damage of any kind
    /// is an error, as are bytes after the end. The file's bytes are not copied. With `asGray`, colours become grey as
    /// ``Imaging/Image/converted(toChannels:)`` makes them, row by row and so in a third of the memory.
    public static func decode(
        _ bytes: some Collection<UInt8>,
        maximumPixels: Int,
        asGray: Bool = false
    ) throws(PNGError) -> Decoded {
        let decoded = bytes.withContiguousStorageIfAvailable { bytes in
            Result { () throws(PNGError) in try unsafe decode(bytes, maximumPixels, asGray) }
        }
        guard let decoded else { return try decode(Array(bytes), maximumPixels: maximumPixels, asGray: asGray) }
        return try decoded.get()
    }

    private static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ maximumPixels: Int,
        _ asGray: Bool
    ) throws(PNGError) -> Decoded {
        let raw = try unsafe rawHeader(bytes)
        let (width, height) = (Int(raw.width), Int(raw.height))
        // Both are below 2^31, so their product fits.
        guard width * height <= maximumPixels, max(width, height) <= maximumSide else {
            throw .tooManyPixels(width: width, height: height, limit: maximumPixels)
        }
        guard let color = Color(colorType: raw.color_type) else { throw .invalid("unknown colour type") }
        let header = Header(width: width, height: height, bitDepth: Int(raw.bit_depth), color: color)
        let channels = asGray ? 1 : Int(raw.channels)
        let samples = try unsafe samples(bytes, pixels: width * height, channels: channels)
        return Decoded(header: header, image: Image(height: height, width: width, channels: channels, samples: samples))
    }

    private static func rawHeader(_ bytes: UnsafeBufferPointer<UInt8>) throws(PNGError) -> dia_png_header {
        var header = dia_png_header()
        let message = unsafe withMessage { message in
            unsafe dia_png_read_header(bytes.baseAddress, bytes.count, &header, message)
        }
        if let message { throw .invalid(message) }
        return header
    }

    private static func samples(
        _ bytes: UnsafeBufferPointer<UInt8>,
        pixels: Int,
        channels: Int
    ) throws(PNGError) -> [Float] {
        let count = pixels * channels
        var message: String?
        // Not set to zero first: memory that a header promises and no pixel fills is never touched.
        let samples = unsafe [Float](unsafeUninitializedCapacity: count) { samples, written in
            message = unsafe withMessage { message in
                unsafe dia_png_decode(
                    bytes.baseAddress,
                    bytes.count,
                    samples.baseAddress,
                    count,
                    Int32(channels),
                    message
                )
            }
            written = message == nil ? count : 0
        }
        if let message { throw .invalid(message) }
        return samples
    }

    /// Runs a decoder call; nil when it succeeded, else libpng's message.
    private static func withMessage(_ call: (UnsafeMutablePointer<CChar>?) -> Int32) -> String? {
        var message = [CChar](repeating: 0, count: Int(DIA_PNG_MESSAGE))
        let status = unsafe message.withUnsafeMutableBufferPointer { unsafe call($0.baseAddress) }
        guard status != 0 else { return nil }
        return String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Encodes `image` with 8 bits a sample, rounded and clamped (`png_write_row`).
    ///
    /// A sample that is not a number becomes 0. The image must have pixels and 1 or 3 channels.
    public static func encode(_ image: Image) -> [UInt8] {
        precondition(image.channels == 1 || image.channels == 3, "\(image.channels) channels in a PNG")
        let samples = image.samples.map { $0 >= 0 ? UInt8(min($0, 1) * 255 + 0.5) : 0 }
        var data: UnsafeMutablePointer<UInt8>?
        var size = 0
        let status = unsafe samples.withUnsafeBufferPointer {
            unsafe dia_png_encode(
                $0.baseAddress,
                UInt32(image.width),
                UInt32(image.height),
                Int32(image.channels),
                &data,
                &size
            )
        }
        guard status == 0, let data = unsafe data else { fatalError("no memory to encode a PNG") }
        defer { unsafe free(data) }
        return unsafe Array(UnsafeBufferPointer(start: data, count: size))
    }
}
