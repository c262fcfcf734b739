/// Builds PNG files byte by byte, for files that an encoder does not write.
public enum PNGBuilder {
    /// The first eight bytes of a file.
    public static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Returns the four bytes of `value`, most significant first.
    public static func bigEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) }
    }

    /// Returns a chunk with its CRC-32 (PNG, annex D).
    public static func chunk(_ name: String, _ data: [UInt8] = []) -> [UInt8] {
        let body = Array(name.utf8) + data
        let sum = body.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
        }
        return bigEndian(UInt32(data.count)) + body + bigEndian(~sum)
    }

    /// Returns the signature and the IHDR chunk.
    public static func header(
        _ width: UInt32,
        _ height: UInt32,
        depth: UInt8 = 8,
        color: UInt8 = 0,
        interlace: UInt8 = 0
    ) -> [UInt8] {
        signature + chunk("IHDR", bigEndian(width) + bigEndian(height) + [depth, color, 0, 0, interlace])
    }

    /// Returns `data`, at most 65,535 bytes, as one stored block of a zlib stream (RFC 1950, RFC 1951).
    public static func stored(_ data: [UInt8]) -> [UInt8] {
        let count = UInt16(data.count)
        let (low, high) = data.reduce((UInt32(1), UInt32(0))) { sums, byte in
            let low = (sums.0 + UInt32(byte)) % 65521
            return (low, (sums.1 + low) % 65521)
        }
        let length = [UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)]
        return [0x78, 0x01, 0x01] + length + data + bigEndian(high << 16 | low)
    }

    /// Returns a gray file of 16 bits per sample; `samples` is `[height, width]`.
    public static func gray16(width: Int, samples: [UInt16]) -> [UInt8] {
        var rows: [UInt8] = []
        for (index, sample) in samples.enumerated() {
            // Each row begins with its filter type, none.
            if index % width == 0 { rows.append(0) }
            rows += [UInt8(sample >> 8), UInt8(sample & 255)]
        }
        return header(UInt32(width), UInt32(samples.count / width), depth: 16) + chunk("IDAT", stored(rows))
            + chunk("IEND")
    }
}
