import DIA
import Imaging
import ModelFile
import TestSupport
import Testing

/// The check whether an image is like the calibration images.
@Suite struct InputCheckTests {
    /// A made-up scan: a bright disk above a dark one on a gradient, with varying positions, exposure and noise.
    private static func scans(_ count: Int, seed: UInt64) -> [Image] {
        var generator = SeededGenerator(seed)
        func random(_ range: ClosedRange<Float>) -> Float { Float.random(in: range, using: &generator) }
        return (0..<count).map { _ in
            let (row, column, exposure) = (random(8...12), random(10...22), random(0.8...1.1))
            let bright = random(0.6...0.9)
            var image = Image(height: 32, width: 32, channels: 1)
            for y in 0..<32 {
                for x in 0..<32 {
                    func isIn(_ centerRow: Float, _ radius: Float) -> Bool {
                        let (dy, dx) = (Float(y) - centerRow, Float(x) - column)
                        return dy * dy + dx * dx < radius * radius
                    }
                    var level = 0.25 + 0.01 * Float(y)
                    if isIn(row, 6) { level = bright }
                    if isIn(row + 12, 4) { level = 0.05 }
                    image[y, x] = min(1, max(0, exposure * level + random(-0.03...0.03)))
                }
            }
            return image
        }
    }

    private static let check = InputCheck(fitting: scans(400, seed: 1))

    private static func turned(_ image: Image) -> Image {
        var result = image
        for y in 0..<32 { for x in 0..<32 { result[y, x] = image[x, 31 - y] } }
        return result
    }

    @Test("At most a few images like the calibration images are atypical")
    func typical() throws {
        let check = try #require(Self.check)
        let results = Self.scans(400, seed: 2).map { check($0) }
        #expect(results.filter { !$0.isTypical }.count <= 8)
        #expect(results.allSatisfy { $0.isTypical == $0.reasons.isEmpty })
        // The p-value is graded, not just a verdict.
        #expect(Set(results.map(\.pValue)).count > 50)
    }

    @Test(
        "Wrongly exported images are atypical, and the reason says what is wrong",
        arguments: [
            ("inverted", "inverted"), ("quarter turn", "rotated by 90"), ("half turn", "rotated by 180"),
            ("three quarter turn", "rotated by 270"), ("12 bits in 16", "range"), ("9 bits in 16", "dark"),
            ("blank", "blank"), ("noise", "noise"), ("flat", "blank"), ("foreign", "does not look like"),
        ]
    )
    func atypical(_ fault: String, _ reason: String) throws {
        let check = try #require(Self.check)
        var generator = SeededGenerator(3)
        let results = Self.scans(100, seed: 4).map { scan in
            var image = scan
            switch fault {
            case "inverted": image.samples = scan.samples.map { 1 - $0 }
            // An image that is turned clockwise looks rotated by 90 degrees.
            case "quarter turn": image = Self.turned(Self.turned(Self.turned(scan)))
            case "half turn": image = Self.turned(Self.turned(scan))
            case "three quarter turn": image = Self.turned(scan)
            case "12 bits in 16": image.samples = scan.samples.map { $0 / 16 }
            case "9 bits in 16": image.samples = scan.samples.map { $0 / 128 }
            case "blank": image.samples = scan.samples.map { _ in 0 }
            case "flat": image.samples = scan.samples.map { _ in 0.4 }
            case "noise": image.samples = scan.samples.map { _ in Float.random(in: 0...1, using: &generator) }
            default: image.samples = scan.samples.indices.map { $0 / 32 % 8 < 4 ? 0.9 : 0.1 }
            }
            return check(image)
        }
        #expect(results.filter { !$0.isTypical }.count >= 99)
        #expect(results.filter { $0.reasons.contains { $0.contains(reason) } }.count >= 90, "\(results[0].reasons)")
    }

    @Test("The check survives a file")
    func file() throws {
        let check = try #require(Self.check)
        let bytes = try SafetensorsEncoder.encode(check.tensors, file: "c.safetensors")
        let read = try #require(try InputCheck(Safetensors(parsing: bytes, file: "c.safetensors")))
        for image in Self.scans(20, seed: 5) { #expect(abs(read(image).pValue - check(image).pValue) < 0.01) }
    }

    @Test(
        "A damaged file is an error that names the tensor",
        arguments: ["input.structure_whitening", "input.texture_scale", "input.statistics"]
    )
    func damaged(_ name: String) throws {
        let check = try #require(Self.check)
        let tensors = check.tensors.map { tensor in
            guard tensor.name == name else { return tensor }
            return NamedTensor(name: name, shape: [1], values: [0])
        }
        let file = try Safetensors(
            parsing: SafetensorsEncoder.encode(tensors, file: "c.safetensors"),
            file: "c.safetensors"
        )
        let error = #expect(throws: ModelFileError.self) { try InputCheck(file) }
        #expect(error?.tensor == name)
    }

    @Test("Too few images, or images that are all equal, give no check")
    func tooFew() {
        #expect(InputCheck(fitting: Self.scans(199, seed: 6)) == nil)
        #expect(InputCheck(fitting: Array(repeating: Self.scans(1, seed: 7)[0], count: 300)) == nil)
    }
}
