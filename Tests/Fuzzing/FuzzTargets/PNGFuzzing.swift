import Codecs
import Imaging

extension FuzzTarget {
    /// PNG files, as given and with their checksums corrected: few mutated files have valid ones by chance.
    static func runPNG(_ bytes: [UInt8]) {
        decode(bytes)
        let corrected = withChecksums(bytes)
        if corrected != bytes { decode(corrected) }
    }

    private static func decode(_ bytes: [UInt8]) {
        let maximumPixels = 1 << 14
        guard let decoded = try? PNG.decode(bytes, maximumPixels: maximumPixels) else { return }
        let (header, image) = (decoded.header, decoded.image)
        require(image.width == header.width && image.height == header.height, "an image has its header's size")
        let isGray = header.color == .gray || header.color == .grayAlpha
        require(image.channels == (isGray ? 1 : 3), "an image has its header's color channels")
        require([1, 2, 4, 8, 16].contains(header.bitDepth), "the bit depth is one that PNG defines")
        require(image.width * image.height <= maximumPixels, "an image has no more pixels than allowed")
        require(image.samples.allSatisfy { $0 >= 0 && $0 <= 1 }, "samples lie in [0, 1]")
        require(
            (try? PNG.decode(bytes, maximumPixels: image.width * image.height - 1)) == nil,
            "one pixel more than allowed is rejected"
        )
        let gray = try? PNG.decode(bytes, maximumPixels: maximumPixels, asGray: true)
        require(
            gray?.image == image.converted(toChannels: 1),
            "converting to gray row by row gives the same image as converting afterward"
        )
        let again = must("an encoded image can be decoded") {
            () throws(PNGError) in try PNG.decode(PNG.encode(image), maximumPixels: maximumPixels).image
        }
        require(again.channels == image.channels && again.width == image.width, "encoding keeps the shape")
        // Half a step of 8 bits, plus rounding in the division.
        let isNear = Swift.zip(again.samples, image.samples).allSatisfy { abs($0 - $1) <= 0.5 / 255 + 1e-6 }
        require(isNear, "encoding loses at most half a step of 8 bits")
    }

    /// The file with the correct checksum in every chunk.
    private static func withChecksums(_ bytes: [UInt8]) -> [UInt8] {
        var (result, position) = (bytes, 8)
        while position + 12 <= bytes.count {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            let end = position + 8 + length
            guard end + 4 <= bytes.count else { break }
            let checksum = checksum(bytes[position + 4..<end])
            for index in 0..<4 { result[end + index] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * index)) }
            position = end + 4
        }
        return result
    }

    /// CRC-32 (PNG, annex D).
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { value, byte in
            (0..<8).reduce(value ^ UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
        }
    }
}
