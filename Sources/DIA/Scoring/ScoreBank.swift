import Glibc
public import ModelFile

/// The stored state of the score, which maps the inputs of an image to its normality.
public struct ScoreBank: Sendable {
    /// The normality of one image, and its components.
    public struct Result: Sendable, Hashable {
        /// Higher is more normal.
        public var normality: Double
        /// The terms of CSI, for every method.
        public var csi: CSIScore.Result
        /// The standardized value of each part of a combined score; the normality is their average.
        public var parts: [Double]
    }

    /// The bank of the CSI score.
    public let csi: CSIScore
    /// The parts of the combined score; empty if the method is csi.
    public let parts: [ScoreComponent]
    private let combined: CombinedScore?

    /// Creates the bank of `training`, at least two images, for a score of `parts`.
    ///
    /// Throws an error if the features of the images have no covariance.
    public init(
        training: [ScoreInputs],
        variation: ScoreVariation = .none,
        parts: [ScoreComponent]
    ) throws(ModelFileError) {
        csi = CSIScore(training: training.map(\.features))
        self.parts = parts
        combined = parts.isEmpty ? nil : CombinedScore(parts, training: training, variation: variation, csi: csi)
        guard parts.isEmpty || combined != nil else {
            throw ModelFileError(file: "bank", reason: "the features of all training images are the same")
        }
    }

    /// Returns the score of an image with `inputs`.
    public func callAsFunction(_ inputs: ScoreInputs) -> Result {
        let csi = csi(inputs.features)
        guard let combined else { return Result(normality: csi.normality, csi: csi, parts: []) }
        let parts = combined(inputs, csi: self.csi)
        return Result(normality: parts.reduce(0, +) / Double(parts.count), csi: csi, parts: parts)
    }

    /// A part of the score that is a density.
    struct Density {
        let part: ScoreComponent
        let distribution: FeatureDensity
    }

    /// A part of the score that has a map.
    enum Placed {
        case density(Density)
        /// The largest change at `step`, which is `typical` for training images.
        case peak(step: Int, typical: Double)
    }

    /// The parts of the score in order; nil for each that has no map.
    var placed: [Placed?] {
        zip(parts, combined?.parts ?? []).map { part, entry in
            switch entry.measure {
            case .density(let density, _): return .density(Density(part: part, distribution: density))
            case .peak(let step): return .peak(step: step, typical: exp(-Double(entry.mean)))
            case .csi, .neighbors, .residual: return nil
            }
        }
    }

    /// The bank as the tensors of a file.
    public var tensors: [NamedTensor] {
        let axisShape = [csi.axes.count, csi.entries, csi.size]
        var result = [
            NamedTensor(name: "axis", shape: axisShape, values: csi.axes.flatMap { $0 }),
            NamedTensor(name: "weight_sim", shape: [csi.axes.count], values: csi.similarityWeights),
            NamedTensor(name: "weight_shift", shape: [csi.axes.count], values: csi.shiftWeights),
        ]
        guard let combined else { return result }
        for (part, entry) in zip(parts, combined.parts) {
            switch entry.measure {
            case .csi, .residual, .peak: break
            case .neighbors(let bank, _):
                result.append(NamedTensor(name: part.name, shape: [bank.entries, bank.size], values: bank.axes))
            case .density(let density, _):
                let size = density.mean.count
                result.append(NamedTensor(name: "\(part.name).mean", shape: [size], values: density.mean))
                result.append(
                    NamedTensor(name: "\(part.name).whitening", shape: [size, size], values: density.whitening)
                )
            }
        }
        let (means, deviations) = (combined.parts.map(\.mean), combined.parts.map(\.deviation))
        result.append(NamedTensor(name: "standard.mean", shape: [means.count], values: means))
        result.append(NamedTensor(name: "standard.deviation", shape: [means.count], values: deviations))
        return result
    }

    /// Reads the bank in `file` for an encoder with the sizes of `network` and a score of `parts`.
    ///
    /// Throws an error that names the tensor that is missing, has another shape, or has invalid values.
    public init(_ file: Safetensors, network: ResNet18, parts: [ScoreComponent]) throws(ModelFileError) {
        csi = try Self.csi(file, size: network.projection)
        self.parts = parts
        guard !parts.isEmpty else {
            combined = nil
            return
        }
        let means = try file.floats("standard.mean", shape: [parts.count])
        let deviations = try file.floats("standard.deviation", shape: [parts.count])
        guard deviations.allSatisfy({ $0 > 0 }) else {
            throw ModelFileError(file: file.file, tensor: "standard.deviation", reason: "has non-positive elements")
        }
        var entries: [CombinedScore.Part] = []
        for (index, part) in parts.enumerated() {
            let measure = try Self.measure(part, file, network)
            entries.append(CombinedScore.Part(measure: measure, mean: means[index], deviation: deviations[index]))
        }
        combined = CombinedScore(parts: entries)
    }

    private static func csi(_ file: Safetensors, size: Int) throws(ModelFileError) -> CSIScore {
        let entries = try rows(of: "axis", in: file, dimensions: 3, at: 1)
        let axis = try file.floats("axis", shape: [Shift.count, entries, size])
        return CSIScore(
            axes: (0..<Shift.count).map { Array(axis[$0 * entries * size..<($0 + 1) * entries * size]) },
            size: size,
            similarityWeights: try file.floats("weight_sim", shape: [Shift.count]),
            shiftWeights: try file.floats("weight_shift", shape: [Shift.count])
        )
    }

    private static func measure(
        _ part: ScoreComponent,
        _ file: Safetensors,
        _ network: ResNet18
    ) throws(ModelFileError) -> CombinedScore.Measure {
        switch part {
        case .csi: return .csi
        case .residual(let step): return .residual(step: step)
        case .peak(let step): return .peak(step: step)
        case .neighbors(let stage):
            let size = network.stageFeatures[stage - 1] * Shift.count
            let entries = try rows(of: part.name, in: file, dimensions: 2, at: 0)
            let axes = try file.floats(part.name, shape: [entries, size])
            return .neighbors(NeighborBank(stored: axes, size: size), stage: stage)
        case .density(let stage), .change(let stage, _):
            let size = network.stageFeatures[stage - 1] * Shift.count
            let density = FeatureDensity(
                mean: try file.floats("\(part.name).mean", shape: [size]),
                whitening: try file.floats("\(part.name).whitening", shape: [size, size])
            )
            return .density(density, of: part)
        }
    }

    /// The only variable dimension of a tensor: the number of training images that it holds.
    private static func rows(
        of name: String,
        in file: Safetensors,
        dimensions: Int,
        at index: Int
    ) throws(ModelFileError) -> Int {
        guard let shape = file.shape(of: name), shape.count == dimensions, shape[index] > 0 else {
            throw ModelFileError(
                file: file.file,
                tensor: name,
                reason: "is missing or does not have \(dimensions) non-empty dimensions"
            )
        }
        return shape[index]
    }
}
