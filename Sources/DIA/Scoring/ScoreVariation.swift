/// How the inputs of the score vary between acquisitions of the same anatomy.
///
/// Copies of training images with another exposure, contrast and framing show in which directions the features move for
/// reasons other than disease. Densities count distances in these directions less (within-class covariance
/// normalization; Hatch, Kajarekar and Stolcke, 2006).
public struct ScoreVariation: Sendable {
    /// The inputs of one varied copy of a training image.
    public struct Copy: Sendable {
        /// The index of the image in the training images.
        public var original: Int
        /// The inputs of the copy.
        public var inputs: ScoreInputs

        /// Creates a copy of the training image with the index `original`.
        public init(original: Int, inputs: ScoreInputs) {
            self.original = original
            self.inputs = inputs
        }
    }

    /// The weight of the covariance of the differences, relative to the covariance of the training images.
    public let weight: Double
    /// The copies.
    public let copies: [Copy]

    /// No variation.
    public static let none = ScoreVariation(weight: 0, copies: [])

    /// Creates a variation from copies of training images.
    public init(weight: Double, copies: [Copy]) {
        self.weight = weight
        self.copies = copies
    }

    /// The differences between the copies and their originals in the vector that `part` reads.
    func differences(from training: [ScoreInputs], of part: ScoreComponent) -> [[Float]] {
        copies.compactMap { copy in
            guard let varied = copy.inputs.vector(part), let vector = training[copy.original].vector(part) else {
                return nil
            }
            return zip(varied, vector).map { $0 - $1 }
        }
    }
}
