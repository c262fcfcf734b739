public import ModelFile
public import Neural

/// The networks and the parts of the method that a manifest describes.
///
/// ``Model``, recipes and the training pipeline all construct them here, so that a model is trained with the networks
/// that it is later loaded with.
extension ModelManifest {
    /// The U-Net, without parameters.
    public var unet: UNet {
        UNet(
            dim: dissolve.dim,
            multipliers: dissolve.dimMults,
            channels: dissolve.channels,
            resolution: dissolve.resolution
        )
    }

    /// The network of the encoder, without parameters.
    public var encoderNetwork: ResNet18 {
        ResNet18(
            stem: encoder.stem,
            width: encoder.width,
            channels: encoder.channels,
            height: encoder.resolution ?? input.height,
            columns: encoder.resolution ?? input.width,
            projection: encoder.projection,
            shifts: Shift.count
        )
    }

    /// What is done to images before the encoder sees views of them.
    public var encoderInput: EncoderInput {
        let network = encoderNetwork
        return EncoderInput(height: network.height, width: network.columns, equalizes: encoder.equalize ?? false)
    }

    /// The noise schedule.
    public var noiseSchedule: NoiseSchedule { NoiseSchedule(dissolve.betaSchedule, timesteps: dissolve.timesteps) }

    /// The views with which images are scored.
    public var viewFamily: ViewFamily {
        ViewFamily(
            shift: encoder.shifts,
            views: score.views,
            cropScale: score.cropScale,
            seed: score.seed
        )
    }

    /// Returns the parts of the combined score, empty for csi; throws an error that names a part that does not exist.
    public func scoreParts() throws(ModelFileError) -> [ScoreComponent] {
        var result: [ScoreComponent] = []
        for name in score.parts ?? [] {
            guard let part = ScoreComponent(name, timesteps: dissolve.timesteps) else {
                throw ModelFileError(
                    file: Self.fileName,
                    reason: "unknown part '\(name)' in score.parts; valid parts are csi, neighbors.1 to neighbors.4, "
                        + "density.1 to density.4, change.STAGE.STEP, residual.STEP and peak.STEP with STAGE from 1 to 4 "
                        + "and STEP below the number of timesteps"
                )
            }
            result.append(part)
        }
        return result
    }

    /// Creates the dissolving transformation with the U-Net's parameters in `weights`.
    public func dissolver(_ weights: Safetensors, workers: ThreadPool) throws(ModelFileError) -> Dissolver {
        let network = unet
        return Dissolver(
            network,
            parameters: try Parameters(layout: network.graph().parameters, from: weights),
            schedule: noiseSchedule,
            fit: dissolve.fit,
            workers: workers
        )
    }

    /// Creates the encoder with the parameters in `weights`; it computes the features that `parts` read.
    public func imageEncoder(
        _ weights: Safetensors,
        parts: [ScoreComponent],
        workers: ThreadPool
    ) throws(ModelFileError) -> ImageEncoder {
        let parameters = try Parameters(layout: encoderNetwork.graph().parameters, from: weights)
        return imageEncoder(parameters, parts: parts, workers: workers)
    }

    /// Creates the encoder with `parameters`; it computes the features that `parts` read.
    public func imageEncoder(_ parameters: Parameters, parts: [ScoreComponent], workers: ThreadPool) -> ImageEncoder {
        ImageEncoder(
            encoderNetwork,
            parameters: parameters,
            input: encoderInput,
            views: viewFamily,
            stages: parts.contains { $0.stage != nil },
            workers: workers
        )
    }

    /// Creates the layers of the encoder that compute the feature maps of the densities in `parts`; nil if there are none.
    func featureMaps(
        _ weights: Safetensors,
        parts: [ScoreComponent],
        workers: ThreadPool
    ) throws(ModelFileError) -> FeatureMaps? {
        let network = encoderNetwork
        let stages = Set(parts.filter(\.isDensity).compactMap(\.stage)).sorted()
        guard !stages.isEmpty else { return nil }
        return FeatureMaps(
            network,
            parameters: try Parameters(layout: network.mapGraph(stages: stages).parameters, from: weights),
            input: encoderInput,
            views: viewFamily,
            stages: stages,
            workers: workers
        )
    }
}
