public import Imaging
import Neural

/// The training normals, cut by seed into those that are trained on and those kept for calibration.
public struct TrainingSplit: Sendable {
    /// Every training step and the bank draw on these alone.
    public let training: [Image]
    /// No training step sees these.
    public let calibration: [Image]

    /// Cuts off `share` of `normals` for calibration, at least one image and not all.
    public init(_ normals: [Image], calibrationShare share: Double, seed: UInt64) throws(DataError) {
        guard normals.count >= 2 else {
            throw DataError("train", "\(normals.count) normal images, 2 at least are needed")
        }
        var generator = SplitMix64(seed: seed, stream: RandomStream.split)
        let shuffled = normals.shuffled(using: &generator)
        let count = min(max(Int(Double(normals.count) * share), 1), normals.count - 1)
        calibration = Array(shuffled[..<count])
        training = Array(shuffled[count...])
    }
}

/// What each stream of random numbers under one seed is for; see ``SplitMix64/init(seed:stream:)``.
///
/// A training step's stream is its stage's number plus the step, so a resumed run draws what an
/// uninterrupted one would have.
enum RandomStream {
    static let split: UInt64 = 1
    static let diffusionWeights: UInt64 = 2
    static let encoderWeights: UInt64 = 3
    static let bootstrap: UInt64 = 4
    static let golden: UInt64 = 5
    static let diffusionSteps: UInt64 = 1 << 32
    static let encoderSteps: UInt64 = 2 << 32
}
