import Foundation
import Imaging

/// Masks of the anomalies in test images, in the layout of MVTec AD: `ground_truth/LABEL/NAME_mask.png` for
/// `test/LABEL/NAME.png`.
extension DataSource {
    static let maskFolder = "ground_truth"
    static let maskSuffix = "_mask.png"

    /// Returns the mask of `item`, resized to `height` x `width`; nil if there is none.
    ///
    /// Throws an error that names a mask that cannot be read.
    func mask(of item: Item, height: Int, width: Int) throws -> Image? {
        let path = item.name.split(separator: "/").dropFirst().joined(separator: "/")
        guard let end = path.lastIndex(of: ".") else { return nil }
        let place = "\(self.path)/\(Self.maskFolder)/\(path[..<end])\(Self.maskSuffix)"
        guard FileManager.default.fileExists(atPath: place) else { return nil }
        guard let bytes = FileManager.default.contents(atPath: place) else { throw DataError(place, "cannot be read") }
        var consumer = ResizingConsumer(to: ImageSize(channels: 1, height: height, width: width))
        do {
            try ImageFile.decode(
                Array(bytes),
                into: &consumer,
                asGray: true,
                maximumPixels: Self.maximumPixels,
                isCancelled: { false }
            )
        } catch {
            throw DataError(place, "\(error)")
        }
        return consumer.finish()
    }
}
