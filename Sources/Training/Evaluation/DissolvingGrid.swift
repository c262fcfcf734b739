import Codecs
public import DIA
import Foundation
public import Imaging
import ModelFile

/// An image of dissolved images: one row per image, with the image itself followed by each step.
public enum DissolvingGrid {
    /// The steps shown in the paper.
    public static let steps = [50, 100, 200, 400]

    /// The number of pixels between two images.
    static let gap = 1

    /// The magnification of images of `height`: small images are enlarged, large ones would take gigabytes.
    public static func scale(height: Int) -> Int { min(4, max(1, 128 / height)) }

    /// Returns the grid of `images`, which must be prepared for `model`; small images are enlarged.
    public static func image(_ model: Model, _ images: [Image]) -> Image {
        precondition(!images.isEmpty, "a grid needs at least one image")
        let timesteps = model.information.manifest.dissolve.timesteps
        let steps = steps.filter { $0 < timesteps }
        let (height, width) = (images[0].height, images[0].width)
        var grid = Image(
            height: images.count * (height + gap) - gap,
            width: (steps.count + 1) * (width + gap) - gap,
            channels: images[0].channels,
            filledWith: 1
        )
        for (row, image) in images.enumerated() {
            let dissolved = model.dissolve(steps.map { _ in image }, at: steps)
            for (column, panel) in ([image] + dissolved).enumerated() {
                grid.paste(panel, row: row * (height + gap), column: column * (width + gap))
            }
        }
        return enlarged(grid, scale(height: height))
    }

    private static func enlarged(_ image: Image, _ scale: Int) -> Image {
        var result = Image(height: image.height * scale, width: image.width * scale, channels: image.channels)
        for row in 0..<result.height {
            for column in 0..<result.width {
                for channel in 0..<image.channels {
                    result[row, column, channel] = image[row / scale, column / scale, channel]
                }
            }
        }
        return result
    }

    /// Writes `dissolving.png` to `folder`, with some normal images of `split` followed by some other images.
    public static func write(
        _ model: Model,
        data: DataSet,
        split: DataSet.Split,
        normal: String,
        to folder: String
    ) throws {
        let images = data.splits[split] ?? []
        let rows = images.filter { $0.label == normal }.prefix(3) + images.filter { $0.label != normal }.prefix(3)
        guard !rows.isEmpty else { return }
        let bytes = PNG.encode(image(model, rows.map { model.information.prepare($0.image) }))
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/dissolving.png"), options: .atomic)
    }
}
