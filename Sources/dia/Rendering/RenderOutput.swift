import Codecs
import Console
import DICOM
import Foundation
import Imaging

/// Writes the images of `dia render`, and a line for each.
struct RenderOutput {
    /// The folder; nil for standard output.
    let folder: String?
    let format: RenderFormat
    /// Whether the number of the frame is part of the name.
    let isNumbered: Bool
    /// The names of this run, so that two files of the same name in different folders are noticed.
    private var written: Set<String> = []
    private var hasFolder = false

    init(folder: String?, format: RenderFormat, isNumbered: Bool) {
        (self.folder, self.format, self.isNumbered) = (folder, format, isNumbered)
    }

    /// A failure to write an image.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Writes a frame of the file at `path`.
    mutating func write(_ frame: RenderedFrame, of path: String) throws {
        let bytes = PNG.encode(frame.image)
        guard let folder else {
            guard let number = writeAll(bytes, to: StandardStream.output.rawValue) else { return }
            throw Failure(description: "cannot write to standard output: \(String(cString: strerror(number)))")
        }
        let target = (folder as NSString).appendingPathComponent(name(of: path, frame.record.frame))
        guard written.insert(target).inserted else {
            throw Failure(description: "another file of this name was already written to \(target)")
        }
        do {
            if !hasFolder { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
            hasFolder = true
            try Data(bytes).write(to: URL(fileURLWithPath: target), options: .atomic)
        } catch {
            throw Failure(description: "cannot write \(target): \(error.localizedDescription)")
        }
        try StandardStream.output.write(line(path, target, frame) + "\n")
    }

    private func name(of path: String, _ frame: Int) -> String {
        let name = (path as NSString).lastPathComponent
        let isSuffix = ["dcm", "dicom", "dic", "ima"].contains((name as NSString).pathExtension.lowercased())
        let stem = isSuffix ? (name as NSString).deletingPathExtension : name
        let digits = String(frame)
        return stem + (isNumbered ? "-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits : "")
            + ".png"
    }

    private struct Line: Encodable {
        let path, output: String
        let width, height: Int
        let rendering: RenderingRecord
    }

    private func line(_ path: String, _ target: String, _ frame: RenderedFrame) throws -> String {
        let image = frame.image
        guard format == .jsonl else {
            return "\(path): \(target), \(image.width) x \(image.height), \(frame.record.summary)"
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Line(
            path: path,
            output: target,
            width: image.width,
            height: image.height,
            rendering: frame.record
        )
        return String(decoding: try encoder.encode(line), as: UTF8.self)
    }
}

extension RenderingRecord {
    /// How the frame was rendered, in a few words.
    var summary: String {
        var parts: [String] = []
        switch modality {
        case .none: break
        case .rescale(let slope, let intercept): parts.append("rescale slope \(slope) intercept \(intercept)")
        case .table: parts.append("modality LUT")
        }
        switch method {
        case .voiLUT: parts.append("VOI LUT")
        case .window:
            if let window { parts.append("window \(window.center),\(window.width) \(window.function.rawValue)") }
        case .full: parts.append("full range")
        case .asIs: parts.append("as it is")
        case .minimumToMaximum: parts.append("minimum \(minimum ?? 0) to maximum \(maximum ?? 0)")
        case .luma: parts.append("luma of color")
        }
        if inverted { parts.append("inverted") }
        if paddingPixels > 0 { parts.append("\(paddingPixels) padding pixels") }
        return parts.joined(separator: ", ")
    }
}
