import DICOM
import Imaging
import Testing

/// Truncated and corrupted files.
struct HostileFileTests {
    /// A generator with a fixed sequence (SplitMix64), so that failures can be repeated.
    struct Sequence: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
            return value ^ value >> 31
        }
    }

    /// Renders bytes; a failure must be an error that names a defect of the file, or the end of the process that decoded it.
    private func decode(_ bytes: [UInt8], with process: DecodingProcess, _ what: String) {
        do {
            let options = RenderingOptions(frames: .all, maximumPixels: 1 << 20)
            try process.render(bytes: bytes, options) { _, frame in
                #expect(frame.image.samples.count <= 1 << 20, "\(what)")
            }
        } catch DICOMError.processFailed(.signal), DICOMError.processFailed(.exit) {
            // The decoder crashed, which is what the process is for.
        } catch DICOMError.processFailed(let failure) {
            Issue.record("\(what): \(failure)")
        } catch let error as DICOMError {
            #expect(!error.description.isEmpty)
        } catch {
            Issue.record("\(what): \(error)")
        }
    }

    @Test("A truncated file is an error or an image, wherever it ends", arguments: try Fixture.names())
    func truncated(_ name: String) throws {
        let process = DecodingProcess.dia(limits: DecodingLimits(processorSeconds: 20, seconds: 60))
        let bytes = try Fixture.bytes(name)
        var generator = Sequence(state: 1)
        for _ in 0..<12 {
            let count = Int.random(in: 0..<bytes.count, using: &generator)
            decode(Array(bytes.prefix(count)), with: process, "\(name) cut to \(count) bytes")
        }
    }

    @Test("A file with random bytes is an error or an image", arguments: try Fixture.names())
    func corrupted(_ name: String) throws {
        let process = DecodingProcess.dia(limits: DecodingLimits(processorSeconds: 20, seconds: 60))
        let bytes = try Fixture.bytes(name)
        var generator = Sequence(state: 2)
        for attempt in 0..<16 {
            var changed = bytes
            // Behind the preamble; half of them in the attributes, which come first.
            let end = attempt % 2 == 0 ? bytes.count : min(bytes.count, 1200)
            for _ in 0...attempt / 4 {
                changed[Int.random(in: min(128, end - 1)..<end, using: &generator)] = .random(
                    in: 0...255,
                    using: &generator
                )
            }
            decode(changed, with: process, "\(name), attempt \(attempt)")
        }
    }
}
