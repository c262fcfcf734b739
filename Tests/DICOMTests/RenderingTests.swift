import DICOM
import Imaging
import Testing

/// Whole files, compared with pydicom.
struct RenderingTests {
    static let process = DecodingProcess.dia()

    @Test("Every pixel is rendered as pydicom's pipeline renders it", arguments: try Fixture.all())
    func rendersLikePydicom(_ fixture: Fixture) throws {
        var frames: [RenderedFrame] = []
        let options = RenderingOptions(mapping: fixture.mapping, frames: .all)
        try Self.process.render(path: Fixture.path(fixture.file), options) { frames.append($1) }
        #expect(frames.count == fixture.frames)
        #expect(frames.allSatisfy { $0.image.height == fixture.rows && $0.image.width == fixture.columns })
        #expect(frames.map(\.record.frame) == Array(1...fixture.frames))
        #expect(frames.allSatisfy { $0.record.method == fixture.method && $0.record.inverted == fixture.inverted })
        let expected = try fixture.levels()
        let samples = frames.flatMap(\.image.samples)
        #expect(samples.count == expected.count)
        let worst = zip(samples, expected).map { abs(Int($0) - Int($1)) }.max() ?? .max
        #expect(worst <= fixture.limit)
    }

    @Test("By default, the first frame is rendered")
    func rendersFirstFrame() throws {
        let bytes = try Fixture.bytes("frames.dcm")
        let all = try Self.process.frames(bytes, RenderingOptions(frames: .all))
        #expect(try Self.process.frames(bytes) == [all[0]])
        #expect(try Self.process.frames(bytes, RenderingOptions(frames: .one(3))) == [all[2]])
        #expect(all.count == 3 && all[0].image != all[1].image)
    }

    @Test("Padding pixels become black, are counted, and do not change the range")
    func padding() throws {
        let frame = try #require(try Self.process.frames(Fixture.bytes("padding.dcm")).first)
        #expect(frame.record.paddingPixels == 4 * 33 + 3 * 32)
        #expect(frame.image.samples[0] == 0)
        #expect(try #require(frame.record.maximum) <= 4000)
    }

    @Test("The record says which window and transformation were used")
    func record() throws {
        let frame = try #require(try Self.process.frames(Fixture.bytes("ct-signed.dcm")).first)
        #expect(frame.record.window == (try Window(center: 40, width: 400)))
        #expect(frame.record.modality == .rescale(slope: 1, intercept: -24))
        let groups = try Self.process.frames(Fixture.bytes("functional-groups.dcm"), RenderingOptions(frames: .one(2)))
        #expect(groups.first?.record.window == (try Window(center: 3000, width: 4000)))
    }

    @Test("An image of 8 bits is rendered without a window as it is, a deeper one is an error")
    func none() throws {
        let options = RenderingOptions(mapping: .none)
        let frame = try #require(try Self.process.frames(Fixture.bytes("gray-8.dcm"), options).first)
        #expect(frame.record.method == .asIs)
        #expect(throws: DICOMError.needsWindow(bits: 12)) {
            try Self.process.frames(Fixture.bytes("dx-monochrome1.dcm"), options)
        }
    }

    @Test("The metadata are those of the file, and nothing identifies the patient")
    func metadata() throws {
        let metadata = try Self.process.metadata(path: Fixture.path("dx-monochrome1.dcm"))
        var expected = DICOMMetadata()
        expected.sopClassUID = "1.2.840.10008.5.1.4.1.1.7"
        expected.sopInstanceUID = "2.25.17"
        expected.studyInstanceUID = "2.25.19"
        expected.seriesInstanceUID = "2.25.20"
        expected.modality = "DX"
        expected.bodyPart = "CHEST"
        expected.viewPosition = "PA"
        expected.manufacturer = "Maker"
        expected.sourceApplicationEntityTitle = "MODALITY1"
        expected.seriesDescription = "Übersicht"
        expected.numberOfFrames = 1
        expected.bitsStored = 12
        expected.photometricInterpretation = "MONOCHROME1"
        expected.transferSyntaxUID = "1.2.840.10008.1.2.1"
        expected.rows = 33
        expected.columns = 36
        #expect(metadata == expected)
        #expect(!String(describing: metadata).contains("SECRET"))
        #expect(try Self.process.metadata(bytes: Fixture.bytes("implicit.dcm")).seriesDescription == "Übersicht")
        #expect(try Self.process.metadata(path: Fixture.path("bad-no-pixels.dcm")).rows == 33)
    }
}
