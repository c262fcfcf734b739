import Codecs
import Testing

/// Content codings that arrive in pieces.
@Suite struct InflateStreamTests {
    private static let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 7) }

    private func decompress(_ bytes: [UInt8], _ format: InflateStream.Format, by size: Int) throws -> [UInt8] {
        let stream = InflateStream(format, ratio: 10)
        var (result, rest) = ([UInt8](), bytes[...])
        while !rest.isEmpty {
            result += try stream.decompress(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        try stream.finish()
        return result
    }

    @Test("The split of a compressed body does not change its content", arguments: [1, 2, 1000, 1 << 20])
    func splits(by size: Int) throws {
        let packed = Gzip.compress(Self.content)
        #expect(try decompress(packed, .gzip, by: size) == Self.content)
        // The raw stream inside of the gzip member, and several members.
        #expect(try decompress(Array(packed.dropFirst(10).dropLast(8)), .deflate, by: size) == Self.content)
        #expect(try decompress(packed + Gzip.compress([1, 2]), .gzip, by: size) == Self.content + [1, 2])
    }

    @Test("Truncated and damaged bodies are errors", arguments: [1, 1 << 20])
    func damaged(by size: Int) {
        let packed = Gzip.compress(Self.content)
        for length in [0, 1, 9, packed.count / 2, packed.count - 1] {
            #expect(throws: DecompressionError.invalid) { try decompress(Array(packed[..<length]), .gzip, by: size) }
        }
        var changed = packed
        changed[packed.count / 2] ^= 0xFF
        #expect(throws: DecompressionError.self) { try decompress(changed, .gzip, by: size) }
        #expect(throws: DecompressionError.invalid) { try decompress(packed + [7], .gzip, by: size) }
        let raw = Array(packed.dropFirst(10).dropLast(8))
        #expect(throws: DecompressionError.invalid) { try decompress(raw + [7], .deflate, by: size) }
    }

    @Test("A body that grows more than its ratio is an error as soon as it does")
    func bomb() {
        let packed = Gzip.compress([UInt8](repeating: 0, count: 50 << 20))
        let stream = InflateStream(.gzip, ratio: 10)
        #expect(throws: DecompressionError.tooLarge(limit: 100_000)) {
            _ = try stream.decompress(Array(packed.prefix(10_000)))
        }
    }
}
