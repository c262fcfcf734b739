import Codecs

/// How the samples of a gray image become gray levels, as requested by a client.
package struct Rendering: Sendable, Hashable {
    /// The names of the parameters.
    package static let names = ["bits", "window_center", "window_width", "photometric"]

    /// Whether large samples are bright or dark (DICOM PS3.3, section C.7.6.3.1.2).
    package enum Photometric: String, Sendable, Encodable {
        case monochrome1 = "MONOCHROME1"
        case monochrome2 = "MONOCHROME2"
    }

    /// A window in sample values (DICOM PS3.3, section C.11.2.1.2).
    package struct Window: Sendable, Hashable {
        let center, width: Double

        /// Maps a sample value onto 0 to 1 (the function LINEAR).
        func apply(_ value: Double) -> Double {
            let position = value - (center - 0.5)
            if position <= -(width - 1) / 2 { return 0 }
            if position > (width - 1) / 2 { return 1 }
            return position / (width - 1) + 0.5
        }
    }

    /// The number of significant bits of a sample; nil for all.
    let bits: Int?
    /// The window; nil for the full range.
    let window: Window?
    /// Whether samples are inverted; nil if not specified.
    let photometric: Photometric?

    /// Samples as they are.
    package static let none = Rendering(bits: nil, window: nil, photometric: nil)

    private init(bits: Int?, window: Window?, photometric: Photometric?) {
        (self.bits, self.window, self.photometric) = (bits, window, photometric)
    }

    /// Reads the parameters; throws if one is invalid.
    package init(_ parameters: QueryParameters) throws(ServiceError) {
        let bits = try parameters.number("bits")
        if let bits, !(9...16).contains(bits) || bits != bits.rounded() {
            throw ServiceError(400, "'bits' must be an integer from 9 to 16")
        }
        let (center, width) = (try parameters.number("window_center"), try parameters.number("window_width"))
        guard (center == nil) == (width == nil) else {
            throw ServiceError(400, "'window_center' and 'window_width' must be used together")
        }
        if let width, width < 1 { throw ServiceError(400, "'window_width' must be at least 1") }
        let photometric = parameters["photometric"].map { Photometric(rawValue: $0.uppercased()) }
        if let photometric, photometric == nil {
            throw ServiceError(400, "'photometric' must be MONOCHROME1 or MONOCHROME2")
        }
        self.init(
            bits: bits.map { Int($0) },
            window: center.flatMap { center in width.map { Window(center: center, width: $0) } },
            photometric: photometric ?? nil
        )
    }

    /// Throws if the parameters do not apply to an image with `header`.
    func check(_ header: PNG.Header) throws(ServiceError) {
        guard self != .none else { return }
        guard header.color == .gray || header.color == .grayAlpha else {
            throw ServiceError(422, "\(Self.list) apply only to gray images, and the image is \(header.color.rawValue)")
        }
        guard header.bitDepth > 8 || (bits == nil && window == nil) else {
            throw ServiceError(
                422,
                "'bits' and a window apply only to images of more than 8 bits, and the image has \(header.bitDepth)"
            )
        }
    }

    private static var list: String { names.map { "'\($0)'" }.joined(separator: ", ") }

    /// Maps the samples in [0, 1] at `places` onto gray levels in [0, 1].
    func apply(to row: inout [Float], _ places: some Sequence<Int>) {
        guard self != .none else { return }
        let largest = Double((1 << (bits ?? 16)) - 1)
        for place in places {
            var level = Double(row[place])
            if let window {
                // Whole samples are exact again, so that the edges of the window are.
                let value = level * 65535
                level = window.apply(abs(value - value.rounded()) < 0.01 ? value.rounded() : value)
            } else if bits != nil {
                level = level * 65535 / largest
            }
            row[place] = Float(photometric == .monochrome1 ? 1 - level : level)
        }
    }

    /// Throws if the largest sample, in [0, 1], has more than ``bits`` bits.
    func check(largestSample: Float) throws(ServiceError) {
        guard let bits, Double(largestSample) * 65535 > Double((1 << bits) - 1) + 0.5 else { return }
        throw ServiceError(
            422,
            "the image has the sample \(Int((Double(largestSample) * 65535).rounded())), which does not fit in "
                + "\(bits) bits",
            reason: "the image has a sample that does not fit in \(bits) bits"
        )
    }

    /// The rendering in a response; nil for images of up to 8 bits without parameters, and for color.
    func object(_ header: PNG.Header) -> Object? {
        let isGray = header.color == .gray || header.color == .grayAlpha
        guard isGray, header.bitDepth > 8 || self != .none else { return nil }
        return Object(
            bits: bits ?? header.bitDepth,
            windowCenter: window?.center,
            windowWidth: window?.width,
            photometric: photometric ?? .monochrome2
        )
    }

    /// JSON description of a rendering.
    struct Object: Encodable, Sendable {
        let bits: Int
        let windowCenter, windowWidth: Double?
        let photometric: Photometric

        private enum Key: String, CodingKey {
            case bits, photometric
            case windowCenter = "window_center"
            case windowWidth = "window_width"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(bits, forKey: .bits)
            // Members without a value are null, not absent.
            try container.encode(windowCenter, forKey: .windowCenter)
            try container.encode(windowWidth, forKey: .windowWidth)
            try container.encode(photometric, forKey: .photometric)
        }
    }
}
