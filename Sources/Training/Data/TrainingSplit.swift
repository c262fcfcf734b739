public import Imaging
import Neural

/// The normal training images, split by seed into images for training and images for calibration.
public struct TrainingSplit: Sendable {
    /// The images for all training steps and for the bank.
    public let training: [Image]
    /// The images for calibration, which are not used in training.
    public let calibration: [Image]

    /// The smallest number of images for training: the bank compares each of them with the others.
    static let minimumTraining = 2

    /// Reserves `share` of `normals` for calibration: at least one image, and not all of them.
    ///
    /// `groups` has the group of each image, such as its patient, or is nil. Images of one group are never divided, so
    /// the share is exceeded by up to one group.
    public init(
        _ normals: [Image],
        groups: [String]? = nil,
        calibrationShare share: Double,
        seed: UInt64
    ) throws(DataError) {
        guard normals.count > Self.minimumTraining else {
            throw DataError(
                "train",
                "\(normals.count) normal images, at least \(Self.minimumTraining + 1) are required: "
                    + "\(Self.minimumTraining) for training and the bank, 1 for calibration"
            )
        }
        var generator = SplitMix64(seed: seed, stream: RandomStream.split)
        let order = Array(normals.indices).shuffled(using: &generator)
        let count = min(max(Int(Double(normals.count) * share), 1), normals.count - Self.minimumTraining)
        guard let groups else {
            calibration = order[..<count].map { normals[$0] }
            training = order[count...].map { normals[$0] }
            return
        }
        precondition(groups.count == normals.count, "\(groups.count) groups for \(normals.count) images")
        let sizes = Dictionary(groups.map { ($0, 1) }, uniquingKeysWith: +)
        var held: Set<String> = []
        var heldCount = 0
        for index in order where heldCount < count && !held.contains(groups[index]) {
            let size = sizes[groups[index]] ?? 0
            guard normals.count - heldCount - size >= Self.minimumTraining else { continue }
            held.insert(groups[index])
            heldCount += size
        }
        guard heldCount > 0 else {
            throw DataError(
                "train",
                "the number of groups of the \(normals.count) normal images is \(sizes.count); they cannot be divided into "
                    + "\(Self.minimumTraining) images for training and at least one group for calibration"
            )
        }
        calibration = order.filter { held.contains(groups[$0]) }.map { normals[$0] }
        training = order.filter { !held.contains(groups[$0]) }.map { normals[$0] }
    }
}

/// The purposes of the random streams of one seed; see ``SplitMix64/init(seed:stream:)``.
///
/// The stream of a training step is the number of its stage plus the step, so a resumed run draws the same numbers as
/// an uninterrupted run.
enum RandomStream {
    static let split: UInt64 = 1
    static let diffusionWeights: UInt64 = 2
    static let encoderWeights: UInt64 = 3
    static let bootstrap: UInt64 = 4
    static let golden: UInt64 = 5
    static let variation: UInt64 = 6
    static let diffusionSteps: UInt64 = 1 << 32
    static let encoderSteps: UInt64 = 2 << 32
}
