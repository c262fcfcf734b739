import Codecs
public import DIA
import Foundation
public import Imaging
import ModelFile

/// A picture of what dissolving does: a row for each image, left to right the image itself and then each step.
public enum DissolvingGrid {
    /// The steps that the paper shows.
    public static let steps = [50, 100, 200, 400]

    /// Pixels between two images.
    private static let gap = 1

    /// The grid of `images`, which must be prepared for `model`; each pixel is repeated to `scale` x `scale`.
    public static func image(_ model: Model, _ images: [Image], scale: Int = 4) -> Image {
        precondition(!images.isEmpty, "a grid of no images")
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
        return enlarged(grid, scale)
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

    /// Writes `dissolving.png` to `folder`: some normal images of `split`, then some others.
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
