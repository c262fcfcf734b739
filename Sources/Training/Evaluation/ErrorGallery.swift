import Codecs
import DIA
import Foundation
import Imaging
import ModelFile

/// A picture of the images with the worst errors of an evaluation.
enum ErrorGallery {
    /// The number of images of each kind.
    static let count = 4

    /// Writes `errors.png` to `folder`: the normal images with the lowest normality, then the anomalous images with the
    /// highest; each as it is, dissolved at each step of ``DissolvingGrid``, and with the heat map of the default step.
    static func write(_ model: Model, scored: ScoredSplit, data: DataSet, to folder: String) throws {
        let images = data.splits[scored.split] ?? []
        let order = scored.entries.indices.sorted { left, right in
            scored.entries[left].result.normality < scored.entries[right].result.normality
        }
        let normals = order.filter { scored.entries[$0].isNormal }.prefix(count)
        let anomalies = order.reversed().filter { !scored.entries[$0].isNormal }.prefix(count)
        let chosen = (normals + anomalies).map { model.information.prepare(images[$0].image) }
        let strips = DissolvingGrid.image(model, chosen).converted(toChannels: 3)
        let maps = heatMaps(model, chosen, height: strips.height)
        var gallery = Image(height: strips.height, width: strips.width + 4 + maps.width, channels: 3, filledWith: 1)
        gallery.paste(strips, row: 0, column: 0)
        gallery.paste(maps, row: 0, column: strips.width + 4)
        try Data(PNG.encode(gallery)).write(to: URL(fileURLWithPath: "\(folder)/errors.png"), options: .atomic)
    }

    /// Returns a column of heat maps, aligned with the rows of a grid of `height`.
    private static func heatMaps(_ model: Model, _ images: [Image], height: Int) -> Image {
        let part = model.information.manifest.dissolve
        let dissolved = model.dissolve(images, at: images.map { _ in part.defaultT })
        let scale = DissolvingGrid.scale(height: images[0].height)
        let (rows, columns) = (images[0].height * scale, images[0].width * scale)
        var result = Image(height: height, width: columns, channels: 3, filledWith: 1)
        for (index, (image, changed)) in zip(images, dissolved).enumerated() {
            let gray = image.converted(toChannels: 1).resized(height: rows, width: columns)
            var bytes = ByteImage(height: rows, width: columns, channels: 1)
            for place in gray.samples.indices { bytes.samples[place] = ByteImage.byte(gray.samples[place]) }
            let fill = HeatMap(part.resampled(image), dissolved: changed).rows(
                over: bytes,
                height: rows,
                width: columns
            )
            var line = [UInt8](repeating: 0, count: 3 * columns)
            var map = Image(height: rows, width: columns, channels: 3)
            for row in 0..<rows {
                fill(row, &line)
                for place in line.indices { map.samples[row * line.count + place] = Float(line[place]) / 255 }
            }
            result.paste(map, row: index * (rows + DissolvingGrid.gap * scale), column: 0)
        }
        return result
    }
}
