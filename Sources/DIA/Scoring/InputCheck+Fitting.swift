public import Imaging
public import ModelFile

/// Fitting an input check, and its tensors in calibration.safetensors.
extension InputCheck {
    /// Variance of a thumbnail's pixel that is never unusual: a small lesion must not make an image atypical.
    private static let structureFloor = 0.005
    /// Number of parts in which the images are divided for cross-fitting.
    private static let folds = 5

    /// Fits the check to normal images that were prepared for the model; nil if there are fewer than
    /// ``minimumImages``, or if all are equal.
    public init?(fitting images: [Image]) {
        guard images.count >= Self.minimumImages else { return nil }
        let statistics = images.map { InputStatistics($0) }
        let scale = Self.scale(of: statistics)
        guard let first = images.first, images.contains(where: { $0 != first }) else { return nil }
        func fit(_ chosen: [InputStatistics]) -> (structure: FeatureDensity, texture: FeatureDensity)? {
            let textures = chosen.map { zip($0.texture, scale).map { $0 / $1 } }
            guard let structure = FeatureDensity(of: chosen.map(\.structure), floor: Self.structureFloor),
                let texture = FeatureDensity(of: textures)
            else { return nil }
            return (structure, texture)
        }
        guard let whole = fit(statistics) else { return nil }
        var calibration = [[Double]](repeating: [], count: images.count)
        for fold in 0..<Self.folds {
            // Neighbors in the list are often of one patient, so a fold is a contiguous part of it.
            let held = images.count * fold / Self.folds..<images.count * (fold + 1) / Self.folds
            guard let part = fit(Array(statistics[..<held.lowerBound] + statistics[held.upperBound...])) else {
                return nil
            }
            for index in held {
                calibration[index] = Self.values(statistics[index], part.structure, part.texture, scale)
            }
        }
        self.init(structure: whole.structure, texture: whole.texture, textureScale: scale, calibration: calibration)
    }

    /// Smallest scales of a quantile and of the log of a difference: a set of images with exactly black corners must not
    /// make one gray level there unusual.
    private static let smallestScales: (quantile: Float, difference: Float) = (0.01, 0.05)

    /// Returns the standard deviation of each texture element, or the smallest scale.
    private static func scale(of statistics: [InputStatistics]) -> [Float] {
        let count = Double(statistics.count)
        return (0..<InputStatistics.textureSize).map { index in
            let mean = statistics.reduce(0) { $0 + Double($1.texture[index]) } / count
            let variance = statistics.reduce(0) { sum, image in
                let offset = Double(image.texture[index]) - mean
                return sum + offset * offset
            }
            let smallest =
                index < InputStatistics.quantiles.count ? smallestScales.quantile : smallestScales.difference
            return max(Float((variance / count).squareRoot()), smallest)
        }
    }

    /// The check as tensors of a file.
    public var tensors: [NamedTensor] {
        let (size, textures) = (InputStatistics.structureSize, InputStatistics.textureSize)
        return [
            NamedTensor(name: "input.structure_mean", shape: [size], values: structure.mean),
            NamedTensor(name: "input.structure_whitening", shape: [size, size], values: structure.whitening),
            NamedTensor(name: "input.texture_mean", shape: [textures], values: texture.mean),
            NamedTensor(name: "input.texture_whitening", shape: [textures, textures], values: texture.whitening),
            NamedTensor(name: "input.texture_scale", shape: [textures], values: textureScale),
            NamedTensor(
                name: "input.statistics",
                shape: [calibration.count, 2 + InputOperation.allCases.count],
                values: calibration.flatMap { $0.map { Float($0) } }
            ),
        ]
    }

    /// Reads the check from `file`; nil if it has none.
    package init?(_ file: Safetensors) throws(ModelFileError) {
        guard let shape = file.shape(of: "input.statistics") else { return nil }
        let columns = 2 + InputOperation.allCases.count
        guard shape.count == 2, shape[1] == columns, shape[0] >= Self.minimumImages else {
            throw ModelFileError(
                file: file.file,
                tensor: "input.statistics",
                reason: "must have the shape [n, \(columns)] with n of at least \(Self.minimumImages)"
            )
        }
        func density(_ name: String, _ size: Int) throws(ModelFileError) -> FeatureDensity {
            FeatureDensity(
                mean: try file.floats("input.\(name)_mean", shape: [size]),
                whitening: try file.floats("input.\(name)_whitening", shape: [size, size])
            )
        }
        let scale = try file.floats("input.texture_scale", shape: [InputStatistics.textureSize])
        guard scale.allSatisfy({ $0 > 0 }) else {
            throw ModelFileError(
                file: file.file,
                tensor: "input.texture_scale",
                reason: "has a number that is not positive"
            )
        }
        let values = try file.floats("input.statistics", shape: shape).map { Double($0) }
        let structure = try density("structure", InputStatistics.structureSize)
        let texture = try density("texture", InputStatistics.textureSize)
        // Numbers that are finite but far too large would make every image atypical.
        let black = InputStatistics(Image(height: 2, width: 2, channels: 1))
        guard Self.values(black, structure, texture, scale).allSatisfy(\.isFinite) else {
            throw ModelFileError(
                file: file.file,
                tensor: "input.structure_whitening",
                reason: "has numbers that are too large, or input.texture_whitening has"
            )
        }
        self.init(
            structure: structure,
            texture: texture,
            textureScale: scale,
            calibration: (0..<shape[0]).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
        )
    }
}
