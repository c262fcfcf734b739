/// A set of numbers for a new recipe.
public enum RecipePreset: String, Sendable, CaseIterable {
    /// Small images: trains in minutes to an hour on a few processors.
    case compact
    /// Images of 64 x 64 pixels: trains in hours.
    case standard
    /// The networks and the training of the paper: trains in days without an accelerator.
    case paper

    /// The numbers of a preset.
    struct Numbers {
        /// The longest side of the input; smaller images keep their size.
        var side: Int
        var dim: Int
        var dimMults: [Int]
        /// The longest side of the U-Net's images; larger inputs are resized.
        var resolution: Int
        var diffusionBatch, diffusionSteps: Int
        var diffusionRate: String
        var width: Int
        /// The longest side of the encoder's images; larger inputs are resized.
        var encoderResolution: Int
        var encoderBatch, encoderSteps: Int
        /// The range of t of the negatives; the same noise reaches finer detail at a higher resolution.
        var dissolveSteps: ClosedRange<Int>
        var optimizer: String
        var encoderRate: String
        var warmUpSteps: Int
        var method: String
        var parts: [String]
        var variation: Double
        var views: Int
        var cropScale: String
    }

    /// The numbers for images whose longest side is `dataSide`.
    func numbers(dataSide: Int) -> Numbers {
        switch self {
        case .compact:
            Numbers(
                side: 32,
                dim: 32,
                dimMults: [1, 2, 4],
                resolution: 32,
                diffusionBatch: 32,
                diffusionSteps: 3000,
                diffusionRate: "0.0004",
                width: 24,
                encoderResolution: 32,
                encoderBatch: 16,
                encoderSteps: 400,
                dissolveSteps: 30...100,
                optimizer: "adam",
                encoderRate: "0.001",
                warmUpSteps: 40,
                method: "combined",
                parts: ["density.3", "neighbors.3", "change.3.100"],
                variation: 1,
                views: 16,
                cropScale: "0.08"
            )
        case .standard:
            Numbers(
                side: 64,
                dim: 24,
                dimMults: [1, 2, 4],
                resolution: 64,
                diffusionBatch: 32,
                diffusionSteps: 3000,
                diffusionRate: "0.0004",
                width: 24,
                encoderResolution: 32,
                encoderBatch: 16,
                encoderSteps: 600,
                dissolveSteps: 60...200,
                optimizer: "adam",
                encoderRate: "0.001",
                warmUpSteps: 60,
                method: "combined",
                parts: ["density.3", "neighbors.3", "change.3.200"],
                variation: 1,
                views: 16,
                cropScale: "0.08"
            )
        case .paper:
            Numbers(
                side: dataSide > 64 ? 224 : 32,
                dim: 64,
                dimMults: [1, 2, 4, 8],
                resolution: 32,
                diffusionBatch: 32,
                diffusionSteps: 100_000,
                diffusionRate: "0.00008",
                width: 64,
                encoderResolution: 224,
                encoderBatch: 32,
                encoderSteps: 20_000,
                dissolveSteps: 30...100,
                optimizer: "lars",
                encoderRate: "1.0",
                warmUpSteps: 2000,
                method: "csi",
                parts: [],
                variation: 0,
                views: 10,
                cropScale: "0.54"
            )
        }
    }

    /// Returns a complete recipe with comments for `data`; `name` is the name of the model.
    public func recipe(for data: DataFacts, name: String, comments: [String]) -> String {
        let numbers = numbers(dataSide: data.side)
        let side = max(8, min(numbers.side, data.side))
        let resolution = min(
            numbers.resolution,
            Recipe.resolution(side: side, levels: numbers.dimMults.count)
        )
        let encoderSide = min(side, numbers.encoderResolution)
        let header = comments.map { "// \($0)\n" }.joined()
        let mults = numbers.dimMults.map { String($0) }.joined(separator: ", ")
        let parts = numbers.parts.map { "\"\($0)\"" }.joined(separator: ", ")
        return """
            \(header)// Every member is described in docs/training.md.
            {
              // Copied to model.json.
              "name": "\(name)",
              "version": "1.0.0",
              "description": "",
              "intended_use": "Research use only, not for diagnosis.",
              "license": "unspecified",
              // The seed of all random numbers: the same recipe and data give the same model.
              "seed": 0,
              // The images in the data have sides of about \(data.side) pixels and are \(data.isColor ? "in color" : "gray").
              "input": {"channels": \(data.isColor ? 3 : 1), "height": \(side), "width": \(side)},
              // The U-Net that dissolves images.
              "diffusion": {
                "dim": \(numbers.dim), "dim_mults": [\(mults)],
                "resolution": \(resolution), "fit": "\(side <= resolution ? "pad" : "resize")",
                "timesteps": 1000, "beta_schedule": "cosine", "default_t": 200,
                // More steps make dissolved images sharper; see the plot of the loss in .training.
                "batch": \(numbers.diffusionBatch), "steps": \(numbers.diffusionSteps),
                "optimizer": "adam", "learning_rate": \(numbers.diffusionRate), "warm_up_steps": 0, "decay": "constant",
                "ema_decay": 0.995, "ema_every": 10
              },
              // The encoder that scores images.
              "encoder": {
                "stem": "\(encoderSide > 128 ? "imagenet" : "cifar")", "width": \(numbers.width), "projection": 128,
                "resolution": \(encoderSide), "equalize": false, "shifts": "rotation",
                "batch": \(numbers.encoderBatch), "steps": \(numbers.encoderSteps),
                "optimizer": "\(numbers.optimizer)", "learning_rate": \(numbers.encoderRate),
                "warm_up_steps": \(numbers.warmUpSteps), "decay": "cosine",
                "negatives": "dissolved", "dissolve_from": \(numbers.dissolveSteps.lowerBound), "dissolve_to": \(numbers.dissolveSteps.upperBound),
                "temperature": 0.5, "mask": "shifted_removed",
                "crop_scale": 0.08, "jitter": 0.4, "hue": 0.1, "jitter_probability": 0.8,
                "\(Recipe.Encoder.CodingKeys.grayProbability.rawValue)": 0.2
              },
              "score": {
                "method": "\(numbers.method)",\(parts.isEmpty ? "" : " \"parts\": [\(parts)],")
                // How much less differences of exposure, contrast and framing count.
                "variation": \(numbers.variation),
                "views": \(numbers.views), "crop_scale": \(numbers.cropScale), "seed": 0, "bank": 2048,
                // calibration_share of the normal training images are held out to set the threshold, at which a share
                // alpha of normal images is called anomalous.
                "calibration_share": 0.15, "alpha": 0.05
              }
            }

            """
    }
}

/// What a new recipe depends on.
public struct DataFacts: Sendable, Hashable {
    /// The median of the longer sides of the images.
    public var side: Int
    /// Whether the images have colors.
    public var isColor: Bool

    /// Creates facts.
    public init(side: Int, isColor: Bool) { (self.side, self.isColor) = (side, isColor) }
}
