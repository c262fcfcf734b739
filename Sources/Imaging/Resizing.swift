extension Image {
    /// The interpolation of samples when an image is resized.
    public enum Interpolation: Sendable {
        /// Bilinear between the two nearest samples (`interpolate(mode: bilinear, align_corners: false)`).
        case bilinear
        /// Bilinear, with the triangle filter widened by the scale when shrinking, to avoid aliasing.
        case antialiased
    }

    /// Returns the image resized to `height` x `width`.
    public func resized(height: Int, width: Int, _ interpolation: Interpolation = .antialiased) -> Image {
        guard (height, width) != (self.height, self.width) else { return self }
        let sampler = RowSampler(self, height: height, width: width, interpolation)
        var row = [Float](repeating: 0, count: width * channels)
        var samples: [Float] = []
        samples.reserveCapacity(height * row.count)
        for y in 0..<height {
            sampler.sample(y, into: &row)
            samples += row
        }
        return Image(height: height, width: width, channels: channels, samples: samples)
    }
}

/// Resizes an image row by row, so that a large result is never in memory as a whole.
public struct RowSampler: Sendable {
    private let narrowed: Image
    private let vertical: Taps

    /// Prepares to resize `image` to `height` x `width`.
    public init(_ image: Image, height: Int, width: Int, _ interpolation: Image.Interpolation = .antialiased) {
        let horizontal = Taps(from: image.width, to: width, interpolation)
        vertical = Taps(from: image.height, to: height, interpolation)
        let length = image.width * image.channels
        var samples = [Float](repeating: 0, count: image.height * width * image.channels)
        for y in 0..<image.height {
            horizontal.apply(to: image.samples[y * length..<(y + 1) * length], image.channels) {
                samples[y * width * image.channels + $0] = $1
            }
        }
        narrowed = Image(height: image.height, width: width, channels: image.channels, samples: samples)
    }

    /// Writes row `y` of the resized image to `row`.
    public func sample(_ y: Int, into row: inout [Float]) {
        for place in row.indices { row[place] = 0 }
        let (first, weights) = vertical[y]
        for (index, weight) in weights.enumerated() {
            let source = (first + index) * row.count
            for place in row.indices { row[place] += weight * narrowed.samples[source + place] }
        }
    }
}

/// Resizes an image from its rows, so that a large source is never in memory as a whole.
///
/// Rows can be added in any order and in parts.
public struct RowResizer {
    private let horizontal, vertical: Taps
    /// For each row of the source, the rows of the result that it contributes to.
    private let targets: [Range<Int>]
    private let channels: Int
    private var line: [Float]
    private var result: Image

    /// Creates a resizer from `height` x `width` to `targetHeight` x `targetWidth`.
    public init(height: Int, width: Int, channels: Int, targetHeight: Int, targetWidth: Int) {
        self.channels = channels
        horizontal = Taps(from: width, to: targetWidth, .antialiased)
        vertical = Taps(from: height, to: targetHeight, .antialiased)
        var targets = [Range<Int>](repeating: 0..<0, count: height)
        for row in 0..<targetHeight {
            let (first, weights) = vertical[row]
            for source in first..<first + weights.count {
                targets[source] = (targets[source].isEmpty ? row : targets[source].lowerBound)..<row + 1
            }
        }
        self.targets = targets
        line = [Float](repeating: 0, count: targetWidth * channels)
        result = Image(height: targetHeight, width: targetWidth, channels: channels)
    }

    /// Adds row `y`, or some of its pixels with the others set to 0.
    public mutating func add(_ row: [Float], at y: Int) {
        guard !targets[y].isEmpty else { return }
        horizontal.apply(to: row[...], channels) { line[$0] = $1 }
        for target in targets[y] {
            let (first, weights) = vertical[target]
            let weight = weights[weights.startIndex + y - first]
            let start = target * line.count
            for place in line.indices { result.samples[start + place] += weight * line[place] }
        }
    }

    /// Returns the resized image after all rows were added.
    public consuming func finish() -> Image { result }
}

/// For each output position, the first input position it depends on and the weights from there.
private struct Taps: Sendable {
    private var taps: [(first: Int, weights: [Float])]

    /// Combines the samples of `row`, which has `channels`; calls `body` with each output position and its sample.
    func apply(to row: ArraySlice<Float>, _ channels: Int, _ body: (Int, Float) -> Void) {
        for (column, tap) in taps.enumerated() {
            for channel in 0..<channels {
                var sum: Float = 0
                var source = row.startIndex + tap.first * channels + channel
                for weight in tap.weights {
                    sum += weight * row[source]
                    source += channels
                }
                body(column * channels + channel, sum)
            }
        }
    }

    subscript(place: Int) -> (first: Int, weights: ArraySlice<Float>) {
        (taps[place].first, taps[place].weights[...])
    }

    init(from count: Int, to target: Int, _ interpolation: Image.Interpolation) {
        let scale = Double(count) / Double(target)
        taps = (0..<target).map { place in
            switch interpolation {
            case .bilinear:
                let center = max(0, scale * (Double(place) + 0.5) - 0.5)
                let first = min(Int(center), count - 1)
                let share = Float(center - Double(first))
                return first + 1 < count ? (first, [1 - share, share]) : (first, [1])
            case .antialiased:
                let support = max(scale, 1)
                let center = scale * (Double(place) + 0.5)
                let first = max(0, Int(center - support + 0.5))
                let last = min(count, Int(center + support + 0.5))
                let weights = (first..<last).map { max(0, 1 - abs((Double($0) - center + 0.5) / support)) }
                let sum = weights.reduce(0, +)
                return (first, weights.map { Float($0 / sum) })
            }
        }
    }
}
