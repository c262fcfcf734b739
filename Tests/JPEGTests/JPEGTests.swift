import Foundation
import Imaging
import JPEG
import Testing

/// JPEG files written by Pillow (Tests/Reference/make_jpegs.py), and damaged ones.
@Suite struct JPEGTests {
    private struct Expected: Decodable {
        struct File: Decodable {
            let channels: Int
            let samples: [UInt8]
        }
        let width, height: Int
        let files: [String: File]
    }

    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Images")
    static let names = [
        "gray", "color", "color-444", "color-rgb", "gray-progressive", "color-progressive", "color-oriented",
        "color-restarts",
    ]
    private static let limit = 10_000

    private static func file(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: folder.appendingPathComponent("\(name).jpg")))
    }

    @Test(
        "A JPEG decodes to the samples that another decoder gives; an EXIF orientation changes nothing",
        arguments: names
    )
    func decodes(_ name: String) throws {
        let json = try Data(contentsOf: Self.folder.appendingPathComponent("expected.json"))
        let expected = try JSONDecoder().decode(Expected.self, from: json)
        let file = try #require(expected.files[name])
        let decoded = try JPEG.decode(Self.file(name), maximumPixels: Self.limit)
        #expect(decoded.header.width == expected.width && decoded.header.height == expected.height)
        #expect(decoded.header.isGray == (file.channels == 1))
        #expect(decoded.header.isProgressive == name.hasSuffix("progressive"))
        #expect(decoded.image.channels == file.channels)
        // Versions of libjpeg-turbo may round differently.
        let differences = zip(decoded.image.samples, file.samples).map { abs($0 * 255 - Float($1)) }
        #expect(differences.count == file.samples.count && differences.allSatisfy { $0 <= 2 })
        let gray = try JPEG.decode(Self.file(name), maximumPixels: Self.limit, asGray: true).image
        #expect(gray == decoded.image.converted(toChannels: 1))
    }

    @Test("A file cut off at any place is an error, also without its last two bytes", arguments: names)
    func truncated(_ name: String) throws {
        let bytes = try Self.file(name)
        for length in 0..<bytes.count {
            #expect(throws: JPEGError.self, "cut at \(length)") {
                try JPEG.decode(bytes[..<length], maximumPixels: Self.limit)
            }
        }
        #expect(throws: JPEGError.invalid("Premature end of JPEG file")) {
            try JPEG.decode(bytes.dropLast(2), maximumPixels: Self.limit)
        }
    }

    @Test("Damaged pixel data, about which libjpeg would only warn, is an error that says so")
    func damaged() throws {
        var bytes = try Self.file("color-restarts")
        // The last restart marker becomes another one.
        let marker = try #require(bytes.indices.last { bytes[$0] == 0xFF && (0xD0...0xD7).contains(bytes[$0 + 1]) })
        bytes[marker + 1] = 0xD0 + (bytes[marker + 1] + 2) % 8
        do {
            _ = try JPEG.decode(bytes, maximumPixels: Self.limit)
            Issue.record("the damaged file was decoded")
        } catch {
            #expect("\(error)".contains("Corrupt JPEG data"), "\(error)")
        }
    }

    @Test("Random damage never ends the process")
    func randomDamage() throws {
        let files = try Self.names.map(Self.file)
        var generator = SystemRandomNumberGenerator()
        for round in 0..<2000 {
            var bytes = files[round % files.count]
            for _ in 0..<3 { bytes[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0 ... .max) }
            _ = try? JPEG.decode(bytes, maximumPixels: Self.limit)
        }
    }

    @Test("CMYK colors are an error that says what to do")
    func cmyk() throws {
        do {
            _ = try JPEG.decode(Self.file("cmyk"), maximumPixels: Self.limit)
            Issue.record("a CMYK file was decoded")
        } catch {
            #expect("\(error)".contains("CMYK") && "\(error)".contains("convert it to gray or RGB"))
        }
    }

    @Test("An image with more pixels than allowed is rejected by its header")
    func tooLarge() throws {
        var bytes = try Self.file("gray")
        let frame = try #require(bytes.indices.first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
        #expect(throws: JPEGError.tooManyPixels(width: 37, height: 21, limit: 776)) {
            try JPEG.decode(bytes, maximumPixels: 776)
        }
        bytes.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])
        #expect(throws: JPEGError.tooManyPixels(width: 65_500, height: 65_500, limit: 100_000_000)) {
            try JPEG.decode(bytes, maximumPixels: 100_000_000)
        }
    }

    @Test("A progressive file with very many scans is rejected")
    func manyScans() throws {
        let bytes = try Self.file("gray-progressive")
        // The last scan is repeated; each scan starts with its marker.
        let start = try #require(bytes.indices.last { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC4 })
        let scan = bytes[start..<bytes.count - 2]
        var long = Array(bytes.dropLast(2))
        for _ in 0..<300 { long += scan }
        long += [0xFF, 0xD9]
        #expect(throws: JPEGError.self) { try JPEG.decode(long, maximumPixels: Self.limit) }
    }

    @Test("Decoding stops when it is cancelled")
    func cancelled() throws {
        let bytes = try Self.file("color")
        #expect(throws: JPEGError.cancelled) {
            try JPEG.withReader(bytes, maximumPixels: Self.limit, asGray: false) { (reader) throws(JPEGError) in
                try reader.forEachRow(isCancelled: { true }) { _, _ in }
            }
        }
    }
}
