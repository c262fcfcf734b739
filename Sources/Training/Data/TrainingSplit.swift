public import Imaging
import Neural

/// The normal training images, split by seed into images for training and images for calibration.
public struct TrainingSplit: Sendable {
    /// The images for all training steps and for the bank.
    public let training: [Image]
    /// The images for calibration, which are not used in training.
    public let calibration: [Image]

    /// Reserves `share` of `normals` for calibration: at least one image, and not all of them.
    public init(_ normals: [Image], calibrationShare share: Double, seed: UInt64) throws(DataError) {
        guard normals.count >= 2 else {
            throw DataError("train", "\(normals.count) normal images, at least 2 are required")
        }
        var generator = SplitMix64(seed: seed, stream: RandomStream.split)
        let shuffled = normals.shuffled(using: &generator)
        let count = min(max(Int(Double(normals.count) * share), 1), normals.count - 1)
        calibration = Array(shuffled[..<count])
        training = Array(shuffled[count...])
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
    static let diffusionSteps: UInt64 = 1 << 32
    static let encoderSteps: UInt64 = 2 << 32
}
