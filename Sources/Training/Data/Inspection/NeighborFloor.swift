/// The simplest anomaly score, as a floor for all others: the mean distance to the 5 nearest normal training images.
///
/// The distance of two images is the mean squared difference of their block means.
enum NeighborFloor {
    /// The number of neighbors.
    static let neighbors = 5

    /// Returns the AUROC on `images`; nil unless there are training images, and both normal and anomalous images.
    static func auroc(
        training: [BlockMeans],
        images: [(means: BlockMeans, isNormal: Bool)],
        isInterrupted: () -> Bool
    ) throws -> Double? {
        guard !training.isEmpty, images.contains(where: \.isNormal), images.contains(where: { !$0.isNormal }) else {
            return nil
        }
        var (normal, anomalous): ([Double], [Double]) = ([], [])
        for (index, image) in images.enumerated() {
            if index % 16 == 0, isInterrupted() { throw Interrupted(.inspection) }
            let nearest = training.map { $0.meanSquaredDifference(to: image.means) }.sorted().prefix(neighbors)
            let score = Double(nearest.reduce(0, +)) / Double(nearest.count)
            if image.isNormal { normal.append(score) } else { anomalous.append(score) }
        }
        return DetectionMetrics(normal: normal, anomalous: anomalous).auroc
    }
}
