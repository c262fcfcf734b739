import Glibc
import Imaging

/// What the input check compares: the structure and the texture of an image.
struct InputStatistics: Sendable {
    /// Side of the thumbnail that describes the structure.
    static let side = 16
    /// Number of elements of ``structure``.
    static let structureSize = side * side
    /// Number of elements of ``texture``.
    static let textureSize = quantiles.count + 3
    static let quantiles = [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98]

    /// Gray thumbnail, `[16, 16]`.
    let structure: [Float]
    /// Seven quantiles of the samples, then the logs of the mean differences between neighbors in rows and in columns
    /// and of the mean absolute Laplacian.
    let texture: [Float]

    /// Computes the statistics of an image that was prepared for a model.
    init(_ image: Image) {
        let gray = image.converted(toChannels: 1)
        structure = gray.resized(height: Self.side, width: Self.side).samples
        let sorted = gray.samples.sorted()
        let last = Double(sorted.count - 1)
        texture =
            Self.quantiles.map { sorted[Int(($0 * last).rounded())] }
            + Self.differences(gray).map { log($0 + 1e-4) }
    }

    /// The structure of the image after an operation on it.
    func structure(after operation: InputOperation) -> [Float] {
        let side = Self.side
        return (0..<structure.count).map { index in
            let (row, column) = (index / side, index % side)
            switch operation {
            case .inversion: return 1 - structure[index]
            case .quarterTurn: return structure[column * side + side - 1 - row]
            case .halfTurn: return structure[(side - 1 - row) * side + side - 1 - column]
            case .threeQuarterTurn: return structure[(side - 1 - column) * side + row]
            }
        }
    }

    /// Mean absolute differences along rows and columns, and the mean absolute Laplacian.
    private static func differences(_ image: Image) -> [Float] {
        let (height, width) = (image.height, image.width)
        var (horizontal, vertical, laplacian) = (0.0, 0.0, 0.0)
        for row in 0..<height {
            for column in 0..<width {
                let sample = image[row, column]
                if column > 0 { horizontal += Double(abs(sample - image[row, column - 1])) }
                if row > 0 { vertical += Double(abs(sample - image[row - 1, column])) }
                if row > 0, row < height - 1, column > 0, column < width - 1 {
                    let neighbors =
                        image[row - 1, column] + image[row + 1, column] + image[row, column - 1]
                        + image[row, column + 1]
                    laplacian += Double(abs(4 * sample - neighbors))
                }
            }
        }
        return [
            Float(horizontal / Double(max(1, height * (width - 1)))),
            Float(vertical / Double(max(1, (height - 1) * width))),
            Float(laplacian / Double(max(1, (height - 2) * (width - 2)))),
        ]
    }
}

/// An operation that turns a wrongly exported image into a correct one.
enum InputOperation: CaseIterable {
    case inversion, quarterTurn, halfTurn, threeQuarterTurn

    /// Why an image is atypical that this operation makes typical.
    var reason: String {
        switch self {
        case .inversion: "the image looks inverted (photometric interpretation)"
        case .quarterTurn: "the image looks rotated by 90 degrees"
        case .halfTurn: "the image looks rotated by 180 degrees"
        case .threeQuarterTurn: "the image looks rotated by 270 degrees"
        }
    }
}
