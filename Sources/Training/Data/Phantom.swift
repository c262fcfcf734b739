import Codecs
import Foundation
public import Imaging
import Neural

/// Procedural images that resemble chest radiographs: a body, two lungs, a spine and ribs.
///
/// Sizes and positions vary. An image with a lesion has an additional small soft spot in one lung, of one to three pixels
/// (standard deviation).
public struct Phantom: Sendable {
    /// The side of an image in pixels.
    public var side: Int

    /// Creates a generator of phantoms of `side` x `side` pixels.
    public init(side: Int) { self.side = side }

    /// The largest side at which lesions grow with the image.
    private static let largestSideForLesions = 48.0

    /// Returns one phantom.
    public func image(withLesion: Bool, using generator: inout some RandomNumberGenerator) -> Image {
        imageAndMask(withLesion: withLesion, using: &generator).image
    }

    /// Returns one phantom, and its mask: 1 where a lesion has at least half of its strength, 0 elsewhere.
    func imageAndMask(
        withLesion: Bool,
        using generator: inout some RandomNumberGenerator
    ) -> (image: Image, mask: Image) {
        func vary(_ middle: Double, _ reach: Double) -> Double {
            middle + Double.random(in: -reach...reach, using: &generator)
        }
        let centre = (x: vary(0.5, 0.02), y: vary(0.52, 0.02))
        let body = (width: vary(0.44, 0.03), height: vary(0.47, 0.03))
        let lung = (width: vary(0.15, 0.015), height: vary(0.31, 0.03), apart: vary(0.2, 0.015))
        let ribs = (count: vary(8, 0.6), phase: vary(0, 3), strength: vary(0.07, 0.015), bend: vary(0.5, 0.1))
        let tone = (body: vary(0.62, 0.04), lung: vary(0.26, 0.04), spine: vary(0.14, 0.03))
        let side = Bool.random(using: &generator) ? 1.0 : -1.0
        let angle = Double.random(in: 0..<2 * .pi, using: &generator)
        let distance = Double.random(in: 0...0.6, using: &generator).squareRoot()
        let lesion = (
            x: centre.x + side * lung.apart + cos(angle) * distance * lung.width,
            y: centre.y + sin(angle) * distance * lung.height,
            radius: vary(0.045, 0.012) * min(1, Self.largestSideForLesions / Double(self.side)),
            strength: vary(0.24, 0.06)
        )
        /// Returns 1 inside an ellipse and 0 outside, with a soft edge.
        func ellipse(_ x: Double, _ y: Double, _ width: Double, _ height: Double, soft: Double) -> Double {
            let radius = ((x / width) * (x / width) + (y / height) * (y / height)).squareRoot()
            return 1 / (1 + exp((radius - 1) / soft))
        }
        var image = Image(height: self.side, width: self.side, channels: 1)
        var mask = image
        for row in 0..<self.side {
            for column in 0..<self.side {
                let x = (Double(column) + 0.5) / Double(self.side)
                let y = (Double(row) + 0.5) / Double(self.side)
                let (dx, dy) = (x - centre.x, y - centre.y)
                let inBody = ellipse(dx, dy, body.width, body.height, soft: 0.03)
                let inLungs = max(
                    ellipse(dx - lung.apart, dy, lung.width, lung.height, soft: 0.06),
                    ellipse(dx + lung.apart, dy, lung.width, lung.height, soft: 0.06)
                )
                let spine = exp(-dx * dx / 0.0018) * tone.spine
                let wave = sin(2 * .pi * (ribs.count * (dy + ribs.bend * abs(dx)) + ribs.phase))
                var value = inBody * (tone.body - (tone.body - tone.lung) * inLungs + spine)
                value += inBody * inLungs * ribs.strength * wave
                if withLesion {
                    let (lx, ly) = (x - lesion.x, y - lesion.y)
                    let share = exp(-(lx * lx + ly * ly) / (2 * lesion.radius * lesion.radius))
                    value += lesion.strength * share
                    mask[row, column] = share >= 0.5 ? 1 : 0
                }
                value += Double(Normal.next(using: &generator)) * 0.012
                image[row, column] = Float(min(max(value, 0), 1))
            }
        }
        return (image, mask)
    }

    /// The number of images of each kind in a synthetic data set.
    public struct Counts: Sendable {
        /// The number of normal images for training.
        public var train: Int
        /// The number of normal images, and of images with a lesion, in the other two splits.
        public var validation, test: Int

        /// Creates a set of counts.
        public init(train: Int, validation: Int, test: Int) {
            self.train = train
            self.validation = validation
            self.test = test
        }
    }

    /// Writes a labeled data set: `train/normal`, `val/normal`, `val/lesion`, `test/normal`, `test/lesion`.
    ///
    /// The masks of the test images are in `ground_truth/lesion`, as in MVTec AD.
    public func writeDataSet(to path: String, _ counts: Counts, seed: UInt64) throws {
        let parts = [
            ("train/normal", counts.train), ("val/normal", counts.validation), ("val/lesion", counts.validation),
            ("test/normal", counts.test), ("test/lesion", counts.test),
        ]
        for (stream, (folder, count)) in parts.enumerated() where count > 0 {
            var generator = SplitMix64(seed: seed, stream: UInt64(stream))
            try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
            let masks = folder == "test/lesion" ? "\(path)/\(DataSource.maskFolder)/lesion" : nil
            if let masks { try FileManager.default.createDirectory(atPath: masks, withIntermediateDirectories: true) }
            for index in 0..<count {
                let hasLesion = folder.hasSuffix("lesion")
                let (image, mask) = imageAndMask(withLesion: hasLesion, using: &generator)
                let digits = String(index)
                let name = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
                let url = URL(fileURLWithPath: "\(path)/\(folder)/\(name).png")
                try Data(PNG.encode(image)).write(to: url)
                guard let masks else { continue }
                try Data(PNG.encode(mask)).write(to: URL(fileURLWithPath: "\(masks)/\(name)\(DataSource.maskSuffix)"))
            }
        }
    }
}
