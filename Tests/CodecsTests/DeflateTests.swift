import Codecs
import Testing

@Suite struct DeflateTests {
    private static let text = Array("some text, some text, some text".utf8)

    /// ``text`` in the zlib format, made by Python's zlib.
    private static let zlibStream: [UInt8] = [
        0x78, 0xDA, 0x2B, 0xCE, 0xCF, 0x4D, 0x55, 0x28, 0x49, 0xAD, 0x28, 0xD1, 0x51, 0x28, 0xC6, 0xC2,
        0x04, 0x00, 0xB6, 0x01, 0x0B, 0x64,
    ]

    /// ``text`` as a raw deflate stream, made by Python's zlib.
    private static let rawStream: [UInt8] = [
        0x2B, 0xCE, 0xCF, 0x4D, 0x55, 0x28, 0x49, 0xAD, 0x28, 0xD1, 0x51, 0x28, 0xC6, 0xC2, 0x04, 0x00,
    ]

    /// The raw deflate stream of `bytes`: a gzip member without its header and its trailer.
    private func compress(_ bytes: [UInt8]) -> [UInt8] { Array(Gzip.compress(bytes).dropFirst(10).dropLast(8)) }

    @Test("The zlib format and raw deflate streams are decompressed", arguments: [zlibStream, rawStream])
    func formats(_ compressed: [UInt8]) throws {
        #expect(try Deflate.decompress(compressed, limit: 100, ratio: 100) == Self.text)
    }

    @Test(
        "A stream truncated at any length is an error, and so are bytes after it",
        arguments: [zlibStream, rawStream]
    )
    func broken(_ whole: [UInt8]) {
        for length in 0..<whole.count {
            #expect(throws: DecompressionError.invalid) {
                try Deflate.decompress(Array(whole[..<length]), limit: 100, ratio: 100)
            }
        }
        for rest in [[0], whole] {
            #expect(throws: DecompressionError.invalid) { try Deflate.decompress(whole + rest, limit: 100, ratio: 100) }
        }
    }

    @Test("A wrong checksum and a preset dictionary are errors")
    func checksum() {
        var wrong = Self.zlibStream
        wrong[wrong.count - 1] ^= 1
        // The header 78 BB says that a dictionary is needed.
        for bytes in [wrong, [0x78, 0xBB, 0, 0, 0, 1] + Self.rawStream] {
            #expect(throws: DecompressionError.invalid) { try Deflate.decompress(bytes, limit: 100, ratio: 100) }
        }
    }

    @Test("Decompression stops at the size limit and at the ratio limit")
    func limits() throws {
        let zeros = compress([UInt8](repeating: 0, count: 10 << 20))
        #expect(throws: DecompressionError.tooLarge(limit: 1000)) {
            try Deflate.decompress(zeros, limit: 1000, ratio: 5000)
        }
        #expect(throws: DecompressionError.tooLarge(limit: zeros.count * 100)) {
            try Deflate.decompress(zeros, limit: 1 << 30, ratio: 100)
        }
        #expect(try Deflate.decompress(zeros, limit: 10 << 20, ratio: 5000).count == 10 << 20)
    }
}
