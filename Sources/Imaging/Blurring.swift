import Glibc

extension Image {
    /// The image convolved with a Gaussian of `deviation` pixels, cut at three deviations; its borders repeat.
    public func blurred(deviation: Float) -> Image {
        precondition(deviation > 0 && deviation < 1000, "a Gaussian of \(deviation) pixels")
        let radius = Int((3 * deviation).rounded(.up))
        let kernel = (-radius...radius).map { exp(-Float($0 * $0) / (2 * deviation * deviation)) }
        let sum = kernel.reduce(0, +)
        let weights = kernel.map { $0 / sum }
        var rows = Image(height: height, width: width, channels: channels)
        for row in 0..<height {
            for column in 0..<width {
                for channel in 0..<channels {
                    var value: Float = 0
                    for (offset, weight) in weights.enumerated() {
                        let source = min(max(column + offset - radius, 0), width - 1)
                        value += weight * self[row, source, channel]
                    }
                    rows[row, column, channel] = value
                }
            }
        }
        var result = rows
        for row in 0..<height {
            for column in 0..<width {
                for channel in 0..<channels {
                    var value: Float = 0
                    for (offset, weight) in weights.enumerated() {
                        let source = min(max(row + offset - radius, 0), height - 1)
                        value += weight * rows[source, column, channel]
                    }
                    result[row, column, channel] = value
                }
            }
        }
        return result
    }

    /// Each sample replaced by the median of its window of 2 `radius` + 1 pixels a side; its borders repeat.
    public func medianFiltered(radius: Int) -> Image {
        precondition((0...100).contains(radius), "a median over \(radius) pixels")
        var result = self
        for row in 0..<height {
            for column in 0..<width {
                for channel in 0..<channels {
                    var window: [Float] = []
                    for y in row - radius...row + radius {
                        for x in column - radius...column + radius {
                            window.append(self[min(max(y, 0), height - 1), min(max(x, 0), width - 1), channel])
                        }
                    }
                    window.sort()
                    result[row, column, channel] = window[window.count / 2]
                }
            }
        }
        return result
    }
}
