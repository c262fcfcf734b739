/// What the header of a JPEG or JPEG-LS codestream says about its frame.
package struct JPEGFrameHeader: Sendable, Hashable {
    package private(set) var precision = 0
    package private(set) var height = 0
    package private(set) var width = 0
    package private(set) var componentIDs: [UInt8] = []
    /// Whether it has a JFIF marker, which means YCbCr.
    package private(set) var isJFIF = false

    /// Reads the marker segments up to the frame header; nil if there is none.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= 4, bytes[0] == 0xFF, bytes[1] == 0xD8 else { return nil }
        var place = 2
        while place + 4 <= bytes.count {
            guard bytes[place] == 0xFF else { return nil }
            let marker = bytes[place + 1]
            // Fill bytes may precede a marker.
            if marker == 0xFF {
                place += 1
                continue
            }
            let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
            guard length >= 2, length <= bytes.count - place - 2 else { return nil }
            let segment = bytes[(place + 4)..<(place + 2 + length)]
            if marker == 0xE0, segment.starts(with: "JFIF".utf8) { isJFIF = true }
            if Self.isFrame(marker) {
                read(Array(segment))
                guard !componentIDs.isEmpty else { return nil }
                return
            }
            // The scan begins, or the file ends, without a frame header.
            if marker == 0xDA || marker == 0xD9 { return nil }
            place += 2 + length
        }
        return nil
    }

    /// SOF0 to SOF15 without DHT, JPG and DAC, and SOF55 of JPEG-LS.
    private static func isFrame(_ marker: UInt8) -> Bool {
        marker == 0xF7 || (0xC0...0xCF).contains(marker) && ![0xC4, 0xC8, 0xCC].contains(marker)
    }

    private mutating func read(_ segment: [UInt8]) {
        guard segment.count >= 6, segment.count >= 6 + 3 * Int(segment[5]) else { return }
        precision = Int(segment[0])
        height = Int(segment[1]) << 8 | Int(segment[2])
        width = Int(segment[3]) << 8 | Int(segment[4])
        componentIDs = (0..<Int(segment[5])).map { segment[6 + 3 * $0] }
    }

    /// The photometric interpretation of the decoded samples: the codestream is believed before the attribute.
    package func photometric(_ declared: PhotometricInterpretation) -> PhotometricInterpretation {
        guard componentIDs.count == 3 else { return declared }
        if componentIDs == Array("RGB".utf8) || componentIDs == Array("rgb".utf8) { return .rgb }
        if isJFIF, declared == .rgb { return .ybrFull }
        return declared
    }
}
