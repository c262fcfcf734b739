public import Imaging
public import ModelFile

/// Images with the outputs of a model, shipped with the model.
///
/// They show whether this machine, this build and these files still produce the same numbers.
public struct GoldenSet: Sendable {
    /// The images, prepared for the model.
    let images: [Image]
    /// The normality of each image.
    let normality: [Double]
    /// Each image dissolved at the model's default step.
    let dissolved: [Image]

    /// The result of replaying a golden set.
    public struct Outcome: Sendable, Hashable {
        /// The number of images replayed.
        public let images: Int
        /// The largest difference in normality, as a multiple of the tolerance.
        ///
        /// The tolerance is 0.001, or 0.001 times the normality if that is larger.
        public let normalityDifference: Double
        /// The largest difference in a dissolved sample, as a multiple of the tolerance of 0.005, about one gray level.
        public let dissolvedDifference: Double

        /// Whether all numbers are within their tolerances.
        public var passed: Bool { normalityDifference <= 1 && dissolvedDifference <= 1 }
    }

    private static let normalityTolerance = 1e-3
    private static let dissolvedTolerance = 5e-3

    /// Creates the set of `images`, which must be prepared for `model`, with the outputs of `model`.
    public init(_ images: [Image], of model: Model) {
        self.images = images
        normality = model.score(images).map { Double(Float($0.normality)) }
        let step = model.information.manifest.dissolve.defaultT
        dissolved = model.dissolve(images, at: images.map { _ in step })
    }

    /// Reads the set in `file` for images of `input`.
    init(_ file: Safetensors, input: ModelManifest.Input) throws(ModelFileError) {
        guard let shape = file.shape(of: "normality"), shape.count == 1, (1...64).contains(shape[0]) else {
            throw ModelFileError(
                file: file.file,
                tensor: "normality",
                reason: "is missing or is not a list of 1 to 64 numbers"
            )
        }
        let count = shape[0]
        func images(_ name: String) throws(ModelFileError) -> [Image] {
            let samples = try file.floats(name, shape: [count, input.height, input.width, input.channels])
            let size = input.height * input.width * input.channels
            return (0..<count).map {
                Image(
                    height: input.height,
                    width: input.width,
                    channels: input.channels,
                    samples: Array(samples[$0 * size..<($0 + 1) * size])
                )
            }
        }
        self.images = try images("images")
        dissolved = try images("dissolved")
        normality = try file.floats("normality", shape: shape).map { Double($0) }
    }

    /// The set as the tensors of a file, exact in single precision.
    public var tensors: [NamedTensor] {
        let shape = [images.count, images[0].height, images[0].width, images[0].channels]
        return [
            NamedTensor(name: "images", shape: shape, values: images.flatMap(\.samples)),
            NamedTensor(name: "normality", shape: [normality.count], values: normality.map { Float($0) }),
            NamedTensor(name: "dissolved", shape: shape, values: dissolved.flatMap(\.samples)),
        ]
    }

    /// Runs the images through `model` again and compares the results.
    func replay(_ model: Model) -> Outcome {
        let again = GoldenSet(images, of: model)
        let normality = zip(normality, again.normality).map { expected, found in
            abs(found - expected) / (Self.normalityTolerance * max(1, abs(expected)))
        }
        let samples = zip(dissolved, again.dissolved).flatMap { expected, found in
            zip(expected.samples, found.samples).map { Double(abs($0 - $1)) / Self.dissolvedTolerance }
        }
        return Outcome(
            images: images.count,
            normalityDifference: Self.largest(normality),
            dissolvedDifference: Self.largest(samples)
        )
    }

    /// The largest of `differences`; NaN counts as larger than any number.
    private static func largest(_ differences: [Double]) -> Double {
        differences.reduce(0) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    }
}

extension ModelDirectory {
    /// Reads the golden set; nil if the model has none.
    func goldenSet() throws(ModelFileError) -> GoldenSet? {
        guard let part = manifest.golden else { return nil }
        return try GoldenSet(tensors(in: part.file, sha256: part.sha256), input: manifest.input)
    }
}
