import DICOM
import Foundation
import Imaging
import Testing

/// The process in which files are decoded.
struct DecodingProcessTests {
    private func shell(_ command: String, seconds: Int = 60) -> DecodingProcess {
        DecodingProcess(
            executable: "/bin/sh",
            arguments: ["-c", command],
            limits: DecodingLimits(seconds: seconds)
        )
    }

    @Test("A process that ends without an answer is an error that says how it ended")
    func failures() throws {
        let bytes = try Fixture.bytes("gray-8.dcm")
        #expect(throws: DICOMError.processFailed(.signal(11))) { try shell("kill -SEGV $$").frames(bytes) }
        #expect(throws: DICOMError.processFailed(.exit(3))) { try shell("exit 3").frames(bytes) }
        #expect(throws: DICOMError.processFailed(.systemCall("posix_spawn: No such file or directory"))) {
            try DecodingProcess(executable: "/missing").frames(bytes)
        }
    }

    @Test("A process that does not answer in time is ended", .timeLimit(.minutes(1)))
    func timeout() throws {
        let bytes = try Fixture.bytes("gray-8.dcm")
        #expect(throws: DICOMError.processFailed(.timeout(seconds: 1))) {
            try shell("exec sleep 600", seconds: 1).frames(bytes)
        }
    }

    @Test(
        "An answer that breaks the protocol is an error",
        arguments: [
            // A record of unknown kind; samples first; metadata of a size that is not allowed; invalid JSON.
            "\\011\\0\\0\\0\\0\\0\\0\\0\\0", "\\003\\002\\0\\0\\0\\0\\0\\0\\0aa", "\\001\\0\\0\\0\\0\\001\\0\\0\\0",
            "\\001\\002\\0\\0\\0\\0\\0\\0\\0{]", "\\005\\0\\0\\0\\0\\0\\0\\0\\0",
            "\\003\\377\\377\\377\\377\\377\\377\\377\\377",
        ]
    )
    func invalidAnswers(_ answer: String) throws {
        let process = shell("printf '\(answer)' >&0; exec sleep 60")
        do {
            _ = try process.frames(Fixture.bytes("gray-8.dcm"))
            Issue.record("the answer was accepted")
        } catch DICOMError.processFailed(.invalidAnswer) {}
    }

    @Test("A file that needs more memory than allowed is an error, and the next file is decoded")
    func memoryLimit() throws {
        let process = DecodingProcess.dia(limits: DecodingLimits(memoryBytes: 1 << 20))
        for _ in 0..<2 {
            #expect(throws: DICOMError.self) { try process.frames(Self.large) }
        }
        #expect(try DecodingProcess.dia().frames(Self.large).first?.image.samples.count == 4000 * 4000)
    }

    @Test("Processor time beyond the limit is an error that says so", .timeLimit(.minutes(1)))
    func processorTime() throws {
        let error = DICOMError.processFailed(.signal(SIGXCPU))
        #expect(throws: error) { try shell("ulimit -S -t 1; while :; do :; done").frames([0]) }
        #expect("\(error)".contains("SIGXCPU"))
    }

    /// A file of 4000 x 4000 pixels of 16 bits.
    static let large: [UInt8] = {
        func element(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: [UInt8]) -> [UInt8] {
            var bytes = [group, element].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] } + Array(vr.utf8)
            let isLong = vr == "OW"
            let size = (0..<(isLong ? 4 : 2)).map { UInt8(truncatingIfNeeded: value.count >> (8 * $0)) }
            bytes += (isLong ? [0, 0] : []) + size + value
            return bytes
        }
        func number(_ value: UInt16) -> [UInt8] { [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)] }
        var bytes = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
        bytes += element(0x0002, 0x0010, "UI", Array("1.2.840.10008.1.2.1\0".utf8))
        bytes += element(0x0028, 0x0002, "US", number(1)) + element(0x0028, 0x0004, "CS", Array("MONOCHROME2 ".utf8))
        bytes += element(0x0028, 0x0010, "US", number(4000)) + element(0x0028, 0x0011, "US", number(4000))
        bytes += element(0x0028, 0x0100, "US", number(16)) + element(0x0028, 0x0101, "US", number(16))
        bytes += element(0x0028, 0x0102, "US", number(15)) + element(0x0028, 0x0103, "US", number(0))
        return bytes + element(0x7FE0, 0x0010, "OW", [UInt8](repeating: 7, count: 32_000_000))
    }()

    @Test("One process decodes many files, also after errors")
    func reuse() throws {
        let process = DecodingProcess.dia()
        let good = try Fixture.bytes("j2k.dcm")
        let first = try process.frames(good)
        for name in ["bad-bits.dcm", "bad-jpeg-size.dcm", "fixtures.json"] {
            #expect(throws: DICOMError.self) { try process.frames(Fixture.bytes(name)) }
            #expect(try process.frames(good) == first)
        }
    }

    @Test("An error of the caller ends the decoding, and the next file is decoded")
    func callerError() throws {
        let process = DecodingProcess.dia()
        let bytes = try Fixture.bytes("frames.dcm")
        #expect(throws: CancellationError.self) {
            try process.render(bytes: bytes, RenderingOptions(frames: .all)) { _, _ in throw CancellationError() }
        }
        #expect(try process.frames(bytes, RenderingOptions(frames: .all)).count == 3)
    }

    @Test("No process remains when the last reference is released")
    func noProcessRemains() throws {
        func children() throws -> Set<String> {
            let found = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
                guard let status = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
                    let end = status.lastIndex(of: ")")
                else { return false }
                let parent = status[end...].split(separator: " ").dropFirst(2).first.flatMap { Int32($0) }
                let command = (try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8)) ?? ""
                return parent == getpid() && command.contains("marker-of-this-test")
            }
            return Set(found)
        }
        do {
            let process = shell("read line; : marker-of-this-test; exec sleep 60", seconds: 1)
            #expect(throws: DICOMError.self) { try process.frames(Fixture.bytes("gray-8.dcm")) }
        }
        #expect(try children().isEmpty)
    }
}
