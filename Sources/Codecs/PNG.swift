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
        /// The pixels: one channel for grey, three for colour; alpha composed on black.
        public let image: Image
    }

    /// Decodes a PNG of any legal colour type, depth and interlace (`png_read_image`).
    ///
    /// More than `maximumPixels` are refused before anything is allocated for them. gAMA, sRGB, iCCP and
    /// all other ancillary chunks but tRNS are skipped unread.
    public static func decode(_ bytes: some Collection<UInt8>, maximumPixels: Int) throws(PNGError) -> Decoded {
        let bytes = Array(bytes)
        let raw = try rawHeader(bytes)
        let (width, height) = (Int(raw.width), Int(raw.height))
        // Both are below 2^31, so their product fits.
        guard width * height <= maximumPixels, max(width, height) <= maximumSide else {
            throw .tooManyPixels(width: width, height: height, limit: maximumPixels)
        }
        guard let color = Color(colorType: raw.color_type) else { throw .invalid("unknown colour type") }
        let header = Header(width: width, height: height, bitDepth: Int(raw.bit_depth), color: color)
        let (channels, size) = (Int(raw.channels), Int(raw.bytes))
        let samples = try pixels(bytes, capacity: width * height * channels * size)
        let image =
            size == 2
            ? compose(samples.count / 2, channels, width, height, scale: 65535) { index in
                // The decoder writes host byte order.
                unsafe samples.withUnsafeBytes { unsafe Float($0.load(fromByteOffset: 2 * index, as: UInt16.self)) }
            }
            : compose(samples.count, channels, width, height, scale: 255) { Float(samples[$0]) }
        return Decoded(header: header, image: image)
    }

    private static func rawHeader(_ bytes: [UInt8]) throws(PNGError) -> dia_png_header {
        var header = dia_png_header()
        let message = unsafe withMessage { message in
            unsafe bytes.withUnsafeBufferPointer {
                unsafe dia_png_read_header($0.baseAddress, $0.count, &header, message)
            }
        }
        if let message { throw .invalid(message) }
        return header
    }

    private static func pixels(_ bytes: [UInt8], capacity: Int) throws(PNGError) -> [UInt8] {
        var samples = [UInt8](repeating: 0, count: capacity)
        let message = unsafe withMessage { message in
            unsafe bytes.withUnsafeBufferPointer { source in
                unsafe samples.withUnsafeMutableBufferPointer {
                    unsafe dia_png_decode(source.baseAddress, source.count, $0.baseAddress, $0.count, message)
                }
            }
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

    /// Samples scaled to [0, 1], alpha multiplied in (the image composed on black).
    private static func compose(
        _ count: Int,
        _ channels: Int,
        _ width: Int,
        _ height: Int,
        scale: Float,
        sample: (Int) -> Float
    ) -> Image {
        let colors = channels < 3 ? 1 : 3
        let hasAlpha = channels == 2 || channels == 4
        var image = Image(height: height, width: width, channels: colors)
        for pixel in 0..<count / channels {
            let alpha = hasAlpha ? sample(pixel * channels + colors) / scale : 1
            for color in 0..<colors {
                image.samples[pixel * colors + color] = sample(pixel * channels + color) / scale * alpha
            }
        }
        return image
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
