import DICOM
import Foundation
import Testing

/// Files that cannot be rendered.
struct DefectTests {
    static let process = DecodingProcess.dia()

    static let defects: [(String, DICOMError)] = [
        ("bad-no-pixels.dcm", .noPixelData),
        ("bad-bits.dcm", .inconsistent("17 bits stored of 16, with the high bit 11")),
        ("bad-high-bit.dcm", .inconsistent("12 bits stored of 16, with the high bit 5")),
        ("bad-allocated.dcm", .inconsistent("12 bits allocated; supported are 1, 8, 16 and 32")),
        ("bad-photometric.dcm", .unsupportedPhotometricInterpretation("HSV")),
        ("bad-samples.dcm", .inconsistent("MONOCHROME2 with 3 samples per pixel")),
        ("bad-rows.dcm", .truncatedPixelData(frame: 1, bytes: 2376, expected: 36_000)),
        ("bad-zero.dcm", .inconsistent("the image has 0 x 33 pixels")),
        ("bad-window.dcm", .invalidWindow(center: 5, width: 0, function: "LINEAR")),
        ("bad-function.dcm", .inconsistent("the VOI LUT function CUBIC is unknown")),
        ("bad-missing-rows.dcm", .missing("Rows (0028,0010)")),
        ("bad-float.dcm", .floatPixelData),
        (
            "bad-jpeg-size.dcm",
            .corruptFrame(
                frame: 1,
                reason: "it has 8 x 8 pixels of 1 samples, the attributes say 36 x 33 pixels of 1 samples"
            )
        ),
        (
            "bad-mpeg.dcm",
            .unsupportedTransferSyntax(
                uid: "1.2.840.10008.1.2.4.102",
                name: "MPEG-4 AVC/H.264 High Profile / Level 4.1"
            )
        ),
        (
            "bad-htj2k.dcm",
            .unsupportedTransferSyntax(uid: "1.2.840.10008.1.2.4.201", name: "High-Throughput JPEG 2000 Lossless")
        ),
        ("bad-unknown-syntax.dcm", .unsupportedTransferSyntax(uid: "1.2.3.4.5", name: "unknown")),
        ("bad-lut.dcm", .inconsistent("the VOI LUT has 10 of 200 entries")),
    ]

    @Test("A file that cannot be rendered is an error that says why", arguments: defects)
    func names(_ name: String, _ error: DICOMError) throws {
        #expect(throws: error) { try Self.process.frames(Fixture.bytes(name)) }
    }

    @Test("Every defective file has an expected error")
    func isComplete() throws {
        let names = try Fixture.names().filter { $0.hasPrefix("bad-") && $0 != "bad-frames.dcm" }
        #expect(Set(names) == Set(Self.defects.map(\.0)))
    }

    @Test("A file with fewer frames than it says renders those that it has")
    func tooFewFrames() throws {
        let bytes = try Fixture.bytes("bad-frames.dcm")
        #expect(try Self.process.frames(bytes).count == 1)
        var frames = 0
        #expect(throws: DICOMError.truncatedPixelData(frame: 2, bytes: 0, expected: 2376)) {
            try Self.process.render(bytes: bytes, RenderingOptions(frames: .all)) { _, _ in frames += 1 }
        }
        #expect(frames == 1)
    }

    @Test("Other files, folders and missing files are errors")
    func otherFiles() throws {
        #expect(throws: DICOMError.notDICOM) { try Self.process.frames([]) }
        #expect(throws: DICOMError.notDICOM) { try Self.process.frames(Array("%PDF-1.7 is another format".utf8)) }
        #expect(throws: DICOMError.notDICOM) { try Self.process.frames(Fixture.bytes("fixtures.json")) }
        #expect(throws: DICOMError.unreadable("open: No such file or directory")) {
            try Self.process.metadata(path: Fixture.path("missing.dcm"))
        }
        #expect(throws: DICOMError.unreadable("it is not a regular file")) {
            try Self.process.metadata(path: Fixture.folder.path)
        }
        #expect(throws: DICOMError.unreadable("it is not a regular file")) {
            try Self.process.metadata(path: "/dev/zero")
        }
    }

    @Test("A frame or window that does not exist is an error with the number of those that do")
    func outOfRange() throws {
        let bytes = try Fixture.bytes("frames.dcm")
        #expect(throws: DICOMError.frameOutOfRange(frame: 4, frames: 3)) {
            try Self.process.frames(bytes, RenderingOptions(frames: .one(4)))
        }
        #expect(throws: DICOMError.frameOutOfRange(frame: 0, frames: 3)) {
            try Self.process.frames(bytes, RenderingOptions(frames: .one(0)))
        }
        #expect(throws: DICOMError.windowOutOfRange(index: 3, count: 2)) {
            try Self.process.frames(Fixture.bytes("ct-signed.dcm"), RenderingOptions(mapping: .voi(index: 3)))
        }
        #expect(throws: DICOMError.windowOutOfRange(index: 1, count: 0)) {
            try Self.process.frames(Fixture.bytes("mr-no-window.dcm"), RenderingOptions(mapping: .voi(index: 1)))
        }
    }

    @Test("A frame with more pixels than allowed is rejected before it is decoded")
    func tooManyPixels() throws {
        #expect(throws: DICOMError.tooManyPixels(rows: 33, columns: 36, limit: 33 * 36 - 1)) {
            try Self.process.frames(Fixture.bytes("j2k.dcm"), RenderingOptions(maximumPixels: 33 * 36 - 1))
        }
        #expect(try Self.process.frames(Fixture.bytes("j2k.dcm"), RenderingOptions(maximumPixels: 33 * 36)).count == 1)
    }

    @Test("Every error says what is wrong in a sentence")
    func descriptions() {
        for (_, error) in Self.defects { #expect(error.description.count > 30) }
        #expect("\(DICOMError.processFailed(.signal(11)))".contains("SIGSEGV"))
        #expect("\(DICOMError.processFailed(.signal(24)))".contains("SIGXCPU"))
    }
}
