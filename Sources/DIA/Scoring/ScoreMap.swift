import Imaging

/// Where a combined score comes from: its anomaly, which is the average of that of its parts, divided among the positions
/// of the image.
///
/// The anomaly of a part is the number of standard deviations by which it finds the image more anomalous than the training
/// images. It is divided in proportion to:
/// - for a density, the contributions of the positions to the squared Mahalanobis distance, which is their sum. The features
///   f are averages over the positions and the views. With u = W (f - mean), where W is the whitening, |u|² is the average
///   of u · W (m - mean) over the features m of all positions. Each of these numbers is drawn where the position is in the
///   image, and averaged over the views that show it.
/// - for a peak, the change of each place above the peak of a typical training image.
///
/// Parts that find the image no more anomalous than the training images, and parts without positions, are not in the map.
struct ScoreMap {
    /// The map of one part of the score.
    enum Part {
        /// The feature maps that a density reads, for all views of a family.
        case density(ScoreBank.Density, FeatureMaps.Maps, ViewFamily)
        /// The changes that dissolving makes to the image, averaged over the places that the peak compares.
        case peak(changes: Image, typical: Double)
    }

    /// The map of one image: its average is the anomaly of the score, as far as it has positions.
    let image: Image

    /// Creates the map of an image of `height` x `width` from `parts`, each with its anomaly; `count` is the number of all
    /// parts of the score.
    init(height: Int, width: Int, parts: [(map: Part, anomaly: Double)], count: Int) {
        var sum = [Float](repeating: 0, count: height * width)
        for part in parts where part.anomaly > 0 {
            var map: Image
            switch part.map {
            case .density(let density, let maps, let views): map = Self.map(density, maps, views, height, width)
            case .peak(let changes, let typical):
                map = changes.resized(height: height, width: width)
                for index in map.samples.indices { map.samples[index] = max(0, map.samples[index] - Float(typical)) }
            }
            let average = map.samples.reduce(0) { $0 + Double($1) } / Double(map.samples.count)
            guard average > 0 else { continue }
            let scale = Float(part.anomaly / Double(count) / average)
            for index in sum.indices { sum[index] += map.samples[index] * scale }
        }
        image = Image(height: height, width: width, channels: 1, samples: sum)
    }

    private static func map(
        _ density: ScoreBank.Density,
        _ maps: FeatureMaps.Maps,
        _ views: ViewFamily,
        _ height: Int,
        _ width: Int
    ) -> Image {
        let (positions, channels) = (maps.rows * maps.columns, maps.channels)
        let average = average(maps, views)
        let gradient = density.distribution.gradient(average)
        let empty = Image(height: height, width: width, channels: 1)
        var (total, coverage) = (empty, empty)
        for k in 0..<Shift.count {
            // The distance is the sum over the shifts, and the map their average.
            let weights = gradient[k * channels..<(k + 1) * channels].map {
                Float(Shift.count) * Float($0)
            }
            let means = density.distribution.mean[k * channels..<(k + 1) * channels]
            // The mean is the same for all positions.
            let offset = zip(weights, means).reduce(0) { $0 + $1.0 * $1.1 }
            var (sum, count) = (empty, empty)
            for (index, crop) in views.crops.enumerated() {
                let first = (k * views.crops.count + index) * positions * channels
                let contributions = (0..<positions).map { position in
                    let start = first + position * channels
                    return weights.indices.reduce(-offset) { $0 + weights[$1] * maps.values[start + $1] }
                }
                let plane = Image(height: maps.rows, width: maps.columns, channels: 1, samples: contributions)
                crop.place(plane, onto: &sum, counting: &count)
            }
            let (shiftedSum, shiftedCount) = (views.shift.inverse(sum, k), views.shift.inverse(count, k))
            for pixel in total.samples.indices {
                total.samples[pixel] += shiftedSum.samples[pixel]
                coverage.samples[pixel] += shiftedCount.samples[pixel]
            }
        }
        for pixel in total.samples.indices { total.samples[pixel] /= max(coverage.samples[pixel], 1) }
        return total
    }

    /// The features of all shifts, averaged over the crops and positions, as in ``EncoderFeatures``.
    private static func average(_ maps: FeatureMaps.Maps, _ views: ViewFamily) -> [Float] {
        let count = views.crops.count * maps.rows * maps.columns
        return (0..<Shift.count).flatMap { k in
            (0..<maps.channels).map { channel in
                var sum = 0.0
                for position in k * count..<(k + 1) * count {
                    sum += Double(maps.values[position * maps.channels + channel])
                }
                return Float(sum / Double(count))
            }
        }
    }
}

extension Crop {
    /// Adds `plane`, a map of this crop, to the part of `sum` that the crop shows, and 1 to the same part of `count`.
    func place(_ plane: Image, onto sum: inout Image, counting count: inout Image) {
        func rows(_ start: Double, _ share: Double, _ length: Int) -> Range<Int> {
            let first = min(max(Int((start * Double(length)).rounded()), 0), length - 1)
            return first..<min(max(Int(((start + share) * Double(length)).rounded()), first + 1), length)
        }
        let (vertical, horizontal) = (rows(top, height, sum.height), rows(left, width, sum.width))
        let resized = plane.resized(height: vertical.count, width: horizontal.count)
        for (row, y) in vertical.enumerated() {
            for (column, x) in horizontal.enumerated() {
                sum[y, x, 0] += resized[row, column, 0]
                count[y, x, 0] += 1
            }
        }
    }
}
