import Codecs
import TestSupport
import Testing

@Suite struct GzipTests {
    @Test("Compressed data decompresses to the original bytes", arguments: [0, 1, 1000, 65_536, 65_537, 300_000])
    func roundTrip(_ count: Int) throws {
        var generator = SeededGenerator(UInt64(count))
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...15, using: &generator) }
        #expect(try Gzip.decompress(Gzip.compress(bytes), limit: count, ratio: 100) == bytes)
    }

    @Test("Concatenated members decompress to one stream (RFC 1952, section 2.2)")
    func members() throws {
        let compressed = Gzip.compress(Array("hello ".utf8)) + Gzip.compress([]) + Gzip.compress(Array("world".utf8))
        #expect(try Gzip.decompress(compressed, limit: 100, ratio: 100) == Array("hello world".utf8))
    }

    @Test("A stream truncated at any length is an error, and so are trailing or corrupted bytes")
    func broken() {
        let whole = Gzip.compress(Array("some text, some text".utf8))
        for length in 0..<whole.count {
            #expect(throws: DecompressionError.invalid) {
                try Gzip.decompress(Array(whole[..<length]), limit: 100, ratio: 100)
            }
        }
        #expect(throws: DecompressionError.invalid) { try Gzip.decompress(whole + [1, 2, 3], limit: 100, ratio: 100) }
        var wrong = whole
        wrong[whole.count - 6] ^= 1
        #expect(throws: DecompressionError.invalid) { try Gzip.decompress(wrong, limit: 100, ratio: 100) }
    }

    @Test("Decompression stops at the size limit and at the ratio limit")
    func limits() throws {
        let zeros = Gzip.compress([UInt8](repeating: 0, count: 10 << 20))
        #expect(throws: DecompressionError.tooLarge(limit: 1000)) {
            try Gzip.decompress(zeros, limit: 1000, ratio: 5000)
        }
        #expect(throws: DecompressionError.tooLarge(limit: zeros.count * 100)) {
            try Gzip.decompress(zeros, limit: 1 << 30, ratio: 100)
        }
        #expect(try Gzip.decompress(zeros, limit: 10 << 20, ratio: 5000).count == 10 << 20)
    }
}
