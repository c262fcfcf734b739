import Foundation

extension Recipe {
    /// The smallest number of calibration images for which there is a threshold at `score.alpha`.
    var requiredCalibrationImages: Int {
        // A p-value is at least 1 / (n + 1); with more than a billion images needed, the exact number does not matter.
        var count = Int(min(1 / score.alpha, 1e9).rounded(.down)) - 1
        while 1 / Double(count + 1) > score.alpha, count < 1_000_000_000 { count += 1 }
        return max(count, 1)
    }

    /// The smallest number of normal training images for which there is a threshold at `score.alpha`.
    public var requiredNormals: Int {
        let calibration = requiredCalibrationImages
        var count = Int(min(Double(calibration) / score.calibrationShare, 1e12))
        while Int(Double(count) * score.calibrationShare) < calibration, count < 1_000_000_000_000 { count += 1 }
        return max(count, calibration + TrainingSplit.minimumTraining)
    }

    /// Throws an error if `normals` images are too few for training or for a threshold; it says how many are needed.
    public func requireEnough(normals: Int) throws(DataError) {
        guard normals < requiredNormals else { return }
        throw DataError(
            "train",
            "\(normals) normal images, but this recipe needs \(requiredNormals): at least \(requiredCalibrationImages) "
                + "for calibration, because a threshold at score.alpha \(score.alpha) needs that many, and they are the "
                + "share score.calibration_share \(score.calibrationShare) of all; the others are for training. Add "
                + "images, or raise score.calibration_share or score.alpha"
        )
    }

    /// Copies the recipe at `path`, with its comments, to the model directory `folder`, unless it is there already.
    public static func copyFile(from path: String, toModel folder: String) throws {
        let target = "\(folder)/recipe.json"
        guard let data = FileManager.default.contents(atPath: path) else { throw RecipeError("\(path) cannot be read") }
        guard FileManager.default.contents(atPath: target) != data else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try data.write(to: URL(fileURLWithPath: target), options: .atomic)
    }
}

extension Recipe {
    /// Parses the recipe in `text`, which may have comments.
    public static func parse(text: String) throws -> Recipe { try parse(Data(text.utf8)) }
}
