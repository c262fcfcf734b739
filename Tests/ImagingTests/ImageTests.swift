import Imaging
import ModelFile
import TestSupport
import Testing

@Suite struct ImageTests {
    @Test(
        "Resizing matches the reference",
        arguments: [(28, 28), (32, 32), (74, 100)],
        [("bilinear", Image.Interpolation.bilinear), ("bilinear.antialias", .antialiased)]
    )
    func resizing(_ size: (height: Int, width: Int), kind: (name: String, interpolation: Image.Interpolation)) throws {
        let file = try Golden.load("resize")
        let image = Image(height: 37, width: 53, channels: 1, samples: try file.floats("x", shape: [1, 1, 37, 53]))
        let resized = image.resized(height: size.height, width: size.width, kind.interpolation)
        let expected = try file.floats(
            "\(kind.name).\(size.height)x\(size.width)",
            shape: [1, 1, size.height, size.width]
        )
        // Weights are computed in double precision here and in single precision in the reference.
        #expect(relativeError(resized.samples, expected) < 1e-5)
    }

    @Test("Color converts to gray by luma, and gray to three equal channels")
    func channels() {
        let color = Image(height: 1, width: 2, channels: 3, samples: [1, 0, 0, 0, 1, 0.5])
        let gray = color.converted(toChannels: 1)
        #expect(relativeError(gray.samples, [0.299, 0.644]) < Tolerance.formula)
        #expect(gray.converted(toChannels: 3).samples == [0, 0, 0, 1, 1, 1].map { gray.samples[$0] })
    }

    @Test("Padding is black on all sides, and cropping removes it", arguments: [(28, 32), (3, 8), (5, 5), (4, 7)])
    func padding(_ inner: Int, outer: Int) {
        let image = Image(height: inner, width: inner, channels: 1, filledWith: 0.5)
        let padded = image.padded(height: outer, width: outer)
        #expect(padded.samples.reduce(0, +) == image.samples.reduce(0, +))
        #expect(padded.cropped(height: inner, width: inner) == image)
    }

    @Test("Flipping twice gives the original image")
    func mirror() {
        let image = Image(height: 2, width: 3, channels: 1, samples: [1, 2, 3, 4, 5, 6])
        #expect(image.flipped.samples == [3, 2, 1, 6, 5, 4] && image.flipped.flipped == image)
    }

    @Test(
        "Resizing row by row is bit-identical to resizing the whole image",
        arguments: [(1, 1), (3, 50), (28, 28), (37, 41), (90, 7)]
    )
    func resizedByRows(_ height: Int, _ width: Int) {
        let image = Image(
            height: 37,
            width: 41,
            channels: 3,
            samples: (0..<37 * 41 * 3).map { Float(($0 * 7919) % 256) / 255 }
        )
        func resizer() -> RowResizer {
            RowResizer(height: 37, width: 41, channels: 3, targetHeight: height, targetWidth: width)
        }
        func row(_ y: Int) -> [Float] { Array(image.samples[y * 123..<(y + 1) * 123]) }
        var rows = resizer()
        for y in 0..<37 { rows.add(row(y), at: y) }
        let whole = image.resized(height: height, width: width)
        #expect(rows.finish() == whole)
        // In parts and out of order, as in interlaced files: the same sums in another order.
        var parts = resizer()
        for start in [1, 0] {
            for y in (0..<37).reversed() {
                let part = row(y).enumerated().map { $0.offset / 3 % 2 == start ? $0.element : 0 }
                parts.add(part, at: y)
            }
        }
        #expect(zip(parts.finish().samples, whole.samples).allSatisfy { abs($0 - $1) < 1e-5 })
    }
}
