import DICOM
import Foundation
import Testing

/// A file of the folder Files, and how pydicom renders it; written by make_fixtures.py.
struct Fixture: Decodable, Sendable, CustomTestStringConvertible {
    let file, expected: String
    let frames, rows, columns: Int
    /// The largest difference that is allowed, of 65,535.
    let limit: Int
    /// As for `dia render --window`.
    let window: String
    let method: RenderingRecord.Method
    let inverted: Bool

    var testDescription: String { expected }

    /// The folder.
    static let folder = Bundle.module.bundleURL.appendingPathComponent("Files")

    /// All renderings.
    static func all() throws -> [Fixture] {
        try JSONDecoder().decode([Fixture].self, from: Data(contentsOf: folder.appendingPathComponent("fixtures.json")))
    }

    /// The names of all DICOM files, the defective ones included.
    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".dcm") }.sorted()
    }

    /// The path of a file.
    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// The bytes of a file.
    static func bytes(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    /// The gray levels of all frames by pydicom.
    func levels() throws -> [UInt16] {
        let bytes = try Self.bytes(expected)
        return stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
    }

    /// The options for this rendering.
    var mapping: RenderingOptions.Mapping {
        if window == "voi" { return .voi(index: nil) }
        if window == "full" { return .full }
        let numbers = window.split(separator: ",").compactMap { Double($0) }
        return numbers.count == 2 ? .window(center: numbers[0], width: numbers[1]) : .voi(index: Int(window))
    }
}

extension DecodingProcess {
    /// A process of the executable `dia` next to the tests.
    static func dia(limits: DecodingLimits = DecodingLimits()) -> DecodingProcess {
        let folder = Bundle.module.bundleURL.deletingLastPathComponent()
        return DecodingProcess(executable: folder.appendingPathComponent("dia").path, limits: limits)
    }

    /// The frames of a file.
    func frames(_ bytes: [UInt8], _ options: RenderingOptions = RenderingOptions()) throws -> [RenderedFrame] {
        var frames: [RenderedFrame] = []
        try render(bytes: bytes, options) { frames.append($1) }
        return frames
    }
}
