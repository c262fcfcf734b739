import DIA
import Imaging
import ModelFile

/// How well heat maps find the anomalies in images with masks: the AUROC over all pixels.
enum PixelAUROC {
    /// The largest number of images with a mask, and of normal images.
    private static let limit = 100

    /// Returns the AUROC of each kind of heat map, `dissolve` at the model's default step and `score` if the model has it,
    /// over the first images of `images`; nil unless there are images with masks.
    ///
    /// Normal images have no pixels inside. Throws ``Interrupted``.
    static func measure(
        _ model: Model,
        _ images: [LabeledImage],
        normal: String,
        isInterrupted: () -> Bool
    ) throws -> [String: Double]? {
        let masked = images.filter { $0.mask != nil }.prefix(limit)
        guard !masked.isEmpty else { return nil }
        let part = model.information.manifest.dissolve
        var values: [String: (inside: [Double], outside: [Double])] = [:]
        let chosen = Array(masked + images.filter { $0.label == normal }.prefix(limit))
        _ = try mapBatches(chosen, size: 4, title: "heat maps", phase: .evaluation, isInterrupted: isInterrupted) {
            batch in
            let prepared = batch.map { model.information.prepare($0.image) }
            let dissolved = model.dissolve(prepared, at: prepared.map { _ in part.defaultT })
            for (index, image) in batch.enumerated() {
                var maps = ["dissolve": part.resampled(prepared[index]).changes(to: dissolved[index])]
                maps["score"] = model.scoreMap(prepared[index])
                for (kind, map) in maps {
                    let mask = image.mask?.resized(height: map.height, width: map.width)
                    for (pixel, value) in map.samples.enumerated() {
                        if mask.map({ $0.samples[pixel] > 0.5 }) ?? false {
                            values[kind, default: ([], [])].inside.append(Double(value))
                        } else {
                            values[kind, default: ([], [])].outside.append(Double(value))
                        }
                    }
                }
            }
            return batch.map { _ in () }
        }
        return values.filter { !$0.value.inside.isEmpty && !$0.value.outside.isEmpty }
            .mapValues { DetectionMetrics(normal: $0.outside, anomalous: $0.inside).auroc }
    }
}
