import Client
import Codecs
import DICOM
import Imaging

/// The heat map as a Secondary Capture image, with the notice and the result below it.
enum SecondaryCapture {
    /// Secondary Capture Image Storage.
    private static let sopClass = "1.2.840.10008.5.1.4.1.1.7"

    /// Returns the image; `picture` is the heat map as a PNG file.
    static func object(
        _ finding: Finding,
        _ source: ResultSource,
        picture: [UInt8]
    ) throws(ScoringError) -> InstanceResult.Object {
        let image: Image
        do {
            image = try PNG.decode(picture, maximumPixels: 1 << 26).image
        } catch {
            throw .temporary("the heat map of dia-server cannot be read: \(error)")
        }
        let caption = CaptionedPicture(image, lines: lines(finding))
        var (set, series) = source.dataSet(finding, kind: "sc", sopClass: sopClass, modality: "OT")
        set.set(0x0008_0008, "CS", "DERIVED\\SECONDARY")
        set.set(0x0008_0064, "CS", "WSD")
        set.set(0x0008_2111, "ST", "Heat map. \(Notice.text)")
        var reference = source.reference
        reference.set(
            0x0040_A170,
            [Code("121322", "DCM", "Source image for image processing operation").dataSet]
        )
        set.set(0x0008_2112, [reference])
        set.set(0x0020_0020, "CS", "")
        set.set(0x0020_0060, "CS", "")
        set.set(0x0020_4000, "LT", lines(finding).joined(separator: "; "))
        set.set(0x0028_0002, 3)
        set.set(0x0028_0004, "CS", "RGB")
        set.set(0x0028_0006, 0)
        set.set(0x0028_0010, UInt16(caption.height))
        set.set(0x0028_0011, UInt16(caption.width))
        set.set(0x0028_0100, 8)
        set.set(0x0028_0101, 8)
        set.set(0x0028_0102, 7)
        set.set(0x0028_0103, 0)
        // This is about identifying text.
        set.set(0x0028_0301, "CS", "NO")
        set.set(0x0028_2110, "CS", "00")
        set.set(0x7FE0_0010, "OB", bytes: caption.samples)
        return InstanceResult.Object(
            kind: "sc",
            series: series,
            file: set.file(implementation: DerivedUID.implementation)
        )
    }

    /// The text below the picture.
    private static func lines(_ finding: Finding) -> [String] {
        let score = finding.answer.score
        func text(_ number: Double?) -> String { number.map { ContentItem.short($0) } ?? "-" }
        return [
            Notice.text,
            "\(score.model.name) \(score.model.version)",
            "score \(text(score.score)), p-value \(text(score.pValue)), \(score.verdict ?? "no verdict")",
        ]
    }
}

extension ContentItem {
    /// The number with four decimals.
    static func short(_ number: Double) -> String {
        guard number.isFinite, abs(number) < 1e12 else { return "\(number)" }
        return "\((number * 1e4).rounded() / 1e4)"
    }
}

/// A picture in color with lines of text below it.
struct CaptionedPicture {
    private(set) var height, width: Int
    /// Interleaved RGB.
    private(set) var samples: [UInt8]

    /// The narrowest picture, in which the notice has room; smaller ones are enlarged by a whole number.
    private static let narrowest = 320
    /// The longest side.
    private static let longest = 8192

    /// Copies `image`, which has one channel or three with values from 0 to 1.
    init(_ image: Image, lines: [String]) {
        let enlarged = max(1, (Self.narrowest + image.width - 1) / image.width)
        // DICOM allows 65,535; sides are limited so that the picture fits into a text line of any font scale.
        let factor = max(image.width, image.height) > Self.longest ? 1 : enlarged
        width = image.width * factor
        let pictureHeight = image.height * factor
        let lineHeight = Self.lineHeight(lines, width: width)
        let margin = lineHeight / 4
        height = min(65_535, pictureHeight + lineHeight * lines.count + 2 * margin)
        samples = [UInt8](repeating: 0, count: 3 * width * height)
        for row in 0..<pictureHeight {
            for column in 0..<width {
                let place = (row / factor * image.width + column / factor) * image.channels
                for channel in 0..<3 {
                    let value = image.samples[place + (image.channels == 3 ? channel : 0)]
                    samples[3 * (row * width + column) + channel] = ByteImage.byte(value)
                }
            }
        }
        for (index, line) in lines.enumerated() {
            draw(line, left: margin, top: pictureHeight + margin + index * lineHeight, height: lineHeight)
        }
    }

    /// Returns the height at which the longest line has the width of the picture, at most 20 or a 24th of the width.
    private static func lineHeight(_ lines: [String], width: Int) -> Int {
        let longest = lines.map { Font.width(of: $0, height: 100) }.max() ?? 1
        return max(10, min(100 * width * 9 / 10 / max(1, longest), max(20, width / 24)))
    }

    private mutating func draw(_ text: String, left: Int, top: Int, height lineHeight: Int) {
        guard let mask = Font.coverage(of: text, height: lineHeight) else { return }
        for row in 0..<mask.height where top + row < height {
            for column in 0..<mask.width where left + column < width {
                let place = 3 * ((top + row) * width + left + column)
                for channel in 0..<3 { samples[place + channel] = ByteImage.byte(mask[row, column, 0]) }
            }
        }
    }
}
