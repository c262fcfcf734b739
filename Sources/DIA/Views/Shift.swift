public import Imaging
public import ModelFile

/// The K = 4 shifts of an image that the encoder learns to classify (method, section 3).
public typealias Shift = ModelManifest.Shift

extension ModelManifest.Shift {
    /// The number of shifts.
    public static let count = 4

    /// Returns `image` with shift `k`, `0..<4`.
    public func callAsFunction(_ image: Image, _ k: Int) -> Image { moved(image, k, isInverse: false) }

    /// Returns the image that shift `k` turns into `image`.
    func inverse(_ image: Image, _ k: Int) -> Image { moved(image, k, isInverse: true) }

    private func moved(_ image: Image, _ k: Int, isInverse: Bool) -> Image {
        guard k != 0 else { return image }
        let (height, width) = (image.height, image.width)
        var result = image
        for row in 0..<height {
            for column in 0..<width {
                let (here, there) = ((row, column), source(row, column, height, width, k))
                let (from, to) = isInverse ? (here, there) : (there, here)
                for channel in 0..<image.channels { result[to.0, to.1, channel] = image[from.0, from.1, channel] }
            }
        }
        return result
    }

    private func source(_ row: Int, _ column: Int, _ height: Int, _ width: Int, _ k: Int) -> (Int, Int) {
        switch self {
        case .rotation:
            precondition(height == width, "rotation needs square images")
            switch k {
            case 1: return (column, width - 1 - row)
            case 2: return (height - 1 - row, width - 1 - column)
            default: return (height - 1 - column, row)
            }
        case .cutperm:
            // The part after the middle comes first; if the side is odd, it is the larger one.
            let (middleRow, middleColumn) = (height / 2, width / 2)
            let fromRow = k / 2 == 1 ? (row + middleRow) % height : row
            let fromColumn = k % 2 == 1 ? (column + middleColumn) % width : column
            return (fromRow, fromColumn)
        }
    }
}
