import Codecs
import Foundation
import Imaging
import TestSupport
import Testing

/// Files written by an independent encoder (Tests/Reference/make_pngs.py).
@Suite struct PNGTests {
    private struct Expected: Decodable {
        let width, height, depth: Int
        let color: String
        /// Little-endian single-precision floats, base64-encoded.
        let samples: Data

        var values: [Float] {
            let bytes = Array(samples)
            return stride(from: 0, to: bytes.count, by: 4).map { place in
                Float(bitPattern: bytes[place..<place + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
            }
        }
    }

    private static let expected = Result {
        let list = try Data(contentsOf: folder.appendingPathComponent("expected.json"))
        return try JSONDecoder().decode([String: Expected].self, from: list)
    }

    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Images")

    private static func names(in part: String) -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent(part).path)
        return (names ?? []).sorted()
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        try Array(Data(contentsOf: folder.appendingPathComponent(path)))
    }

    @Test("Valid files, or ones with damage in ignored data, decode correctly", arguments: names(in: "accepted"))
    func decodes(_ name: String) throws {
        let expected = try #require(Self.expected.get()[String(name.dropLast(4))])
        let pixels = expected.width * expected.height
        let decoded = try PNG.decode(Self.bytes("accepted/\(name)"), maximumPixels: pixels)
        #expect(decoded.header.width == expected.width && decoded.header.height == expected.height)
        #expect(decoded.header.bitDepth == expected.depth && decoded.header.color.rawValue == expected.color)
        #expect(decoded.image.width == expected.width && decoded.image.height == expected.height)
        #expect(decoded.image.channels == (expected.color.hasPrefix("gray") ? 1 : 3))
        let values = expected.values
        try #require(decoded.image.samples.count == values.count)
        let largest = zip(decoded.image.samples, values).reduce(0) { max($0, abs($1.0 - $1.1)) }
        // 16-bit samples keep their precision: one step is 1.5e-5.
        #expect(largest < 1e-6)
        let gray = try PNG.decode(Self.bytes("accepted/\(name)"), maximumPixels: pixels, asGray: true)
        #expect(gray.header == decoded.header && gray.image == decoded.image.converted(toChannels: 1))
    }

    @Test(
        "A fault that costs no pixel is tolerated and named",
        arguments: [
            ("iend-twice", .trailingBytes), ("newline-after-iend", .trailingBytes),
            ("junk-after-zlib-end", .extraData), ("second-idat-after-zlib-end", .extraData),
            ("plte-in-gray", .paletteInGray), ("trns-high-bits", .transparencyRange),
            ("trns-in-rgba", .transparencyWithAlpha), ("window-too-small", .smallWindow),
        ] as [(String, PNG.Defect)]
    )
    func tolerates(_ name: String, _ defect: PNG.Defect) throws {
        let expected = try PNG.decode(Self.bytes("tolerated/\(name).expected.png"), maximumPixels: 1_000_000)
        let decoded = try PNG.decode(Self.bytes("tolerated/\(name).png"), maximumPixels: 1_000_000)
        #expect(decoded.defects == [defect] && expected.defects == [])
        // The expected file may be written with other bit depths or channels.
        let pixels = decoded.image.converted(toChannels: 1).samples
        let correct = expected.image.converted(toChannels: 1).samples
        try #require(pixels.count == correct.count)
        #expect(zip(pixels, correct).allSatisfy { abs($0 - $1) < 1.0 / 254 })
    }

    @Test("Files with other faults that cost no pixel are decoded and named", arguments: names(in: "faulty"))
    func decodesFaulty(_ name: String) throws {
        let decoded = try PNG.decode(Self.bytes("faulty/\(name)"), maximumPixels: 10_000)
        #expect(decoded.defects.count == 1 && decoded.image.samples.contains { $0 > 0 })
    }

    @Test("A valid file has no defects", arguments: names(in: "accepted"))
    func noDefects(_ name: String) throws {
        #expect(try PNG.decode(Self.bytes("accepted/\(name)"), maximumPixels: 10_000).defects == [])
    }

    @Test("A large tail is not read, and much extra data is an error")
    func tails() throws {
        let whole = try Self.bytes("accepted/color0-depth8-plain.png")
        let tail = [UInt8](repeating: 7, count: 20_000_000)
        #expect(try PNG.decode(whole + tail, maximumPixels: 10_000).defects == [.trailingBytes])
        let idat = PNGBuilder.chunk("IDAT", Array(tail[..<5_000_000]))
        #expect(throws: PNGError.self) {
            try PNG.decode(Array(whole.dropLast(12)) + idat + Array(whole.suffix(12)), maximumPixels: 10_000)
        }
    }

    @Test("The fixture set is complete")
    func complete() throws {
        #expect(try Self.names(in: "accepted").count == Self.expected.get().count)
        #expect(Self.names(in: "accepted").count == 227 && Self.names(in: "rejected").count == 136)
        #expect(Self.names(in: "faulty").count == 11)
    }

    @Test("A damaged header, palette, transparency, pixel data or end is an error", arguments: names(in: "rejected"))
    func rejects(_ name: String) throws {
        let bytes = try Self.bytes("rejected/\(name)")
        let error = #expect(throws: PNGError.self) { try PNG.decode(bytes, maximumPixels: 10_000) }
        guard case .invalid(let reason) = error else {
            Issue.record("\(name): \(String(describing: error))")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("A file truncated at any length is an error")
    func truncated() throws {
        let whole = try Self.bytes("accepted/color3-depth4-adam7-trns.png")
        for length in 0..<whole.count {
            #expect(throws: PNGError.self) { try PNG.decode(whole[..<length], maximumPixels: 99) }
        }
    }

    @Test("A header with too many pixels is rejected before anything is allocated")
    func tooManyPixels() throws {
        let bytes = try Self.bytes("huge.png")
        #expect(throws: PNGError.tooManyPixels(width: 50_000, height: 50_000, limit: 25_000_000)) {
            try PNG.decode(bytes, maximumPixels: 25_000_000)
        }
    }

    @Test("Randomly corrupted bytes are decoded or rejected without crashing")
    func mutated() throws {
        let whole = try Self.bytes("accepted/color6-depth8-plain.png")
        var generator = SeededGenerator(1)
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: .min ... .max, using: &generator)
            }
            _ = try? PNG.decode(bytes, maximumPixels: 10_000)
        }
    }

    @Test("Encoded samples decode to the nearest of 256 levels", arguments: [1, 3])
    func roundTrip(_ channels: Int) throws {
        let samples = (0..<7 * 5 * channels).map { Float($0) / Float(7 * 5 * channels - 1) }
        let image = Image(height: 7, width: 5, channels: channels, samples: samples)
        let decoded = try PNG.decode(PNG.encode(image), maximumPixels: 35).image
        #expect(zip(decoded.samples, samples).allSatisfy { abs($0 - $1) <= 0.5 / 255 + 1e-6 })
    }

    @Test("Out-of-range samples are clamped, and NaN becomes black")
    func clamped() throws {
        let image = Image(height: 1, width: 5, channels: 1, samples: [-5, 0.5, 7, .nan, .infinity])
        let samples = try PNG.decode(PNG.encode(image), maximumPixels: 5).image.samples
        #expect(samples == [0, 128.0 / 255, 1, 0, 1])
    }

    @Test("An image with a side over one million can be encoded but not decoded")
    func longSide() throws {
        let bytes = PNG.encode(Image(height: 1, width: 1_000_001, channels: 1))
        #expect(throws: PNGError.tooManyPixels(width: 1_000_001, height: 1, limit: 25_000_000)) {
            try PNG.decode(bytes, maximumPixels: 25_000_000)
        }
    }
}
