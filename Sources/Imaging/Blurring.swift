import Glibc

extension Image {
    /// Returns the image convolved with a Gaussian of `deviation` pixels, cut at 3 deviations; borders are repeated.
    public func blurred(deviation: Float) -> Image {
        precondition(deviation > 0 && deviation < 1000, "invalid deviation: \(deviation) pixels")
        let radius = Int((3 * deviation).rounded(.up))
        let kernel = (-radius...radius).map { exp(-Float($0 * $0) / (2 * deviation * deviation)) }
        let sum = kernel.reduce(0, +)
        let weights = kernel.map { $0 / sum }
        return convolved(weights, rowStep: 0, columnStep: 1).convolved(weights, rowStep: 1, columnStep: 0)
    }

    /// Returns the image convolved in one direction with `weights`, an odd number of them; borders are repeated.
    private func convolved(_ weights: [Float], rowStep: Int, columnStep: Int) -> Image {
        var result = self
        for row in 0..<height {
            for column in 0..<width {
                for channel in 0..<channels {
                    var value: Float = 0
                    for (place, weight) in weights.enumerated() {
                        let offset = place - weights.count / 2
                        let y = min(max(row + offset * rowStep, 0), height - 1)
                        let x = min(max(column + offset * columnStep, 0), width - 1)
                        value += weight * self[y, x, channel]
                    }
                    result[row, column, channel] = value
                }
            }
        }
        return result
    }

    /// Returns the image in which each pixel is the average of its 3 x 3 neighborhood, cut at the borders.
    public func averagedOverNeighbors() -> Image {
        var result = self
        for row in 0..<height {
            let rows = max(row - 1, 0)...min(row + 1, height - 1)
            for column in 0..<width {
                let columns = max(column - 1, 0)...min(column + 1, width - 1)
                for channel in 0..<channels {
                    var total: Float = 0
                    for y in rows { for x in columns { total += self[y, x, channel] } }
                    result[row, column, channel] = total / Float(rows.count * columns.count)
                }
            }
        }
        return result
    }

    /// Returns the median filter of the image, with windows of 2 `radius` + 1 pixels a side; borders are repeated.
    public func medianFiltered(radius: Int) -> Image {
        precondition((0...100).contains(radius), "invalid radius: \(radius) pixels")
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
