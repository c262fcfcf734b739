extension Image {
    /// How samples are combined when an image changes its size.
    public enum Interpolation: Sendable {
        /// Bilinear between the two nearest samples (`interpolate(mode: bilinear, align_corners: false)`).
        case bilinear
        /// Bilinear with the triangle widened by the scale when shrinking, so that nothing aliases.
        case antialiased
    }

    /// The image stretched to `height` x `width`.
    public func resized(height: Int, width: Int, _ interpolation: Interpolation = .antialiased) -> Image {
        guard (height, width) != (self.height, self.width) else { return self }
        let horizontal = Taps(from: self.width, to: width, interpolation)
        let vertical = Taps(from: self.height, to: height, interpolation)
        var narrowed = Image(height: self.height, width: width, channels: channels)
        for row in 0..<self.height {
            let line = row * self.width * channels
            for column in 0..<width {
                let (first, weights) = horizontal[column]
                for channel in 0..<channels {
                    var sum: Float = 0
                    for (index, weight) in weights.enumerated() {
                        sum += weight * samples[line + (first + index) * channels + channel]
                    }
                    narrowed[row, column, channel] = sum
                }
            }
        }
        var result = Image(height: height, width: width, channels: channels)
        let length = width * channels
        for row in 0..<height {
            let (first, weights) = vertical[row]
            for (index, weight) in weights.enumerated() {
                let source = (first + index) * length
                for place in 0..<length {
                    result.samples[row * length + place] += weight * narrowed.samples[source + place]
                }
            }
        }
        return result
    }
}

/// For each output place, the first input place it draws on and the weights from there on.
private struct Taps {
    private var taps: [(first: Int, weights: [Float])]

    subscript(place: Int) -> (first: Int, weights: ArraySlice<Float>) {
        (taps[place].first, taps[place].weights[...])
    }

    init(from count: Int, to target: Int, _ interpolation: Image.Interpolation) {
        let scale = Double(count) / Double(target)
        taps = (0..<target).map { place in
            switch interpolation {
            case .bilinear:
                let centre = max(0, scale * (Double(place) + 0.5) - 0.5)
                let first = min(Int(centre), count - 1)
                let share = Float(centre - Double(first))
                return first + 1 < count ? (first, [1 - share, share]) : (first, [1])
            case .antialiased:
                let reach = max(scale, 1)
                let centre = scale * (Double(place) + 0.5)
                let first = max(0, Int(centre - reach + 0.5))
                let last = min(count, Int(centre + reach + 0.5))
                let weights = (first..<last).map { max(0, 1 - abs((Double($0) - centre + 0.5) / reach)) }
                let sum = weights.reduce(0, +)
                return (first, weights.map { Float($0 / sum) })
            }
        }
    }
}
