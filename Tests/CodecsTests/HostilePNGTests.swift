import Codecs
import Imaging
import TestSupport
import Testing

/// PNG files crafted to be expensive to decode, kept small here; Benchmarks/bombs.py measures large ones.
@Suite struct HostilePNGTests {
    private static let valid = PNG.encode(Image(height: 8, width: 8, channels: 1, filledWith: 1))
    private static let (beforePixels, beforeEnd) = (33, valid.count - 12)

    private static func decode(_ bytes: [UInt8]) throws(PNGError) -> PNG.Decoded {
        try PNG.decode(bytes, maximumPixels: 25_000_000)
    }

    private static func with(_ more: [UInt8], at place: Int) -> [UInt8] { valid[..<place] + more + valid[place...] }

    @Test("libpng accepts the chunks that these tests build")
    func chunks() throws {
        let bytes = PNGBuilder.header(8, 8) + Self.valid[Self.beforePixels...]
        #expect(bytes == Self.valid)
        #expect(try Self.decode(bytes).image.samples == Array(repeating: 1, count: 64))
    }

    @Test("A side longer than the limit is rejected even with few pixels", arguments: [(32_769, 1), (1, 32_769)])
    func longSide(_ width: UInt32, _ height: UInt32) {
        let error = PNGError.tooManyPixels(width: Int(width), height: Int(height), limit: 25_000_000)
        #expect(throws: error) { try Self.decode(PNGBuilder.header(width, height) + Self.valid[Self.beforePixels...]) }
    }

    @Test("A header whose pixel data is missing is an error", arguments: [0, 2, 4, 6] as [UInt8])
    func missingPixels(_ color: UInt8) {
        let bytes = PNGBuilder.header(5000, 5000, depth: 16, color: color) + Self.valid[Self.beforePixels...]
        #expect(throws: PNGError.invalid("Not enough image data")) { try Self.decode(bytes) }
    }

    @Test(
        "A skipped chunk may have any content and be as long as a color profile",
        arguments: [
            "bKGD", "cHRM", "eXIf", "gAMA", "hIST", "iCCP", "iTXt", "pHYs", "prVt", "sBIT", "sPLT", "sRGB", "tEXt",
            "tIME", "zTXt",
        ]
    )
    func longChunk(_ name: String) throws {
        let more = PNGBuilder.chunk(name, Array(repeating: 7, count: 1_000_000))
        for place in [Self.beforePixels, Self.beforeEnd] {
            #expect(try Self.decode(Self.with(more, at: place)).image.samples == Array(repeating: 1, count: 64))
        }
    }

    @Test("More than 4 MB of data other than pixels is rejected, in one chunk or many, before or after the pixels")
    func largeAncillaryData() {
        let one = PNGBuilder.chunk("tEXt", Array(repeating: 7, count: 4 << 20))
        let thousand = Array(repeating: PNGBuilder.chunk("zTXt", Array(repeating: 7, count: 4200)), count: 1000)
        let empty = Array(repeating: PNGBuilder.chunk("tEXt"), count: 350_000)
        let pixels = Array(repeating: PNGBuilder.chunk("IDAT"), count: 350_000)
        for more in [one, Array(thousand.joined()), Array(empty.joined()), Array(pixels.joined())] {
            for place in [Self.beforePixels, Self.beforeEnd] {
                #expect(throws: PNGError.invalid("more than 4 MB of the file are not pixel data")) {
                    try Self.decode(Self.with(more, at: place))
                }
            }
        }
    }

    @Test("Pixel data may be split into thousands of chunks")
    func manyChunks() throws {
        let empty = Array(repeating: PNGBuilder.chunk("IDAT"), count: 100_000).joined()
        #expect(try Self.decode(Self.with(Array(empty), at: Self.beforePixels)).image.samples.allSatisfy { $0 == 1 })
    }

    @Test("Surplus pixel data is rejected without being decompressed", arguments: [0, 1] as [UInt8])
    func surplus(_ interlace: UInt8) {
        // 16 MB of zeros, of which the image needs at most 72.
        let large = PNG.encode(Image(height: 4000, width: 4000, channels: 1))
        let bytes = PNGBuilder.header(8, 8, interlace: interlace) + large[Self.beforePixels...]
        #expect(throws: PNGError.invalid("Too much image data")) { try Self.decode(bytes) }
    }

    @Test("A non-contiguous collection of bytes is decoded like a contiguous one")
    func scattered() throws {
        #expect(try PNG.decode(AnyCollection(Self.valid), maximumPixels: 64).image.samples.allSatisfy { $0 == 1 })
    }
}
