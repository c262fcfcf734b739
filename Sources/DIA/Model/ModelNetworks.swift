public import ModelFile
public import Neural

/// The two networks of a model directory with their trained parameters.
extension ModelDirectory {
    /// Loads the U-Net that dissolves images.
    public func unet() throws(ModelFileError) -> (network: UNet, parameters: Parameters) {
        let part = manifest.dissolve
        let network = UNet(
            dim: part.dim,
            multipliers: part.dimMults,
            channels: part.channels,
            resolution: part.resolution
        )
        return (
            network,
            try Parameters(layout: network.graph().parameters, from: tensors(in: part.file, sha256: part.sha256))
        )
    }

    /// Loads the encoder that computes the features for the score.
    public func encoder() throws(ModelFileError) -> (network: ResNet18, parameters: Parameters) {
        let part = manifest.encoder
        let network = ResNet18(
            stem: part.stem,
            width: part.width,
            channels: part.channels,
            height: manifest.input.height,
            columns: manifest.input.width,
            projection: part.projection,
            shifts: Shift.count
        )
        return (
            network,
            try Parameters(layout: network.graph().parameters, from: tensors(in: part.file, sha256: part.sha256))
        )
    }

    /// Creates the dissolving transformation.
    public func dissolver(_ workers: ThreadPool) throws(ModelFileError) -> Dissolver {
        let part = manifest.dissolve
        let (network, parameters) = try unet()
        return Dissolver(
            network,
            parameters: parameters,
            schedule: NoiseSchedule(part.betaSchedule, timesteps: part.timesteps),
            fit: part.fit,
            workers: workers
        )
    }
}

extension Parameters {
    /// Reads the parameters of `layout` from a weights file; other tensors in the file are ignored.
    public init(layout: [Parameter], from tensors: Safetensors) throws(ModelFileError) {
        self.init(layout: layout)
        for parameter in layout {
            let values = try tensors.floats(parameter.name, shape: parameter.shape)
            if parameter.name.hasSuffix("running_var"), let bad = values.firstIndex(where: { $0 < 0 }) {
                throw ModelFileError(
                    file: tensors.file,
                    tensor: parameter.name,
                    reason: "element \(bad) is negative"
                )
            }
            self.values.replaceSubrange(parameter.range, with: values)
        }
    }
}

extension ModelManifest {
    /// The views with which images are scored.
    public var viewFamily: ViewFamily {
        ViewFamily(
            shift: encoder.shifts,
            views: score.views,
            cropScale: score.cropScale,
            seed: score.seed
        )
    }

    /// The parts of the combined score, empty for csi; throws an error that names a part that does not exist.
    public func scoreParts() throws(ModelFileError) -> [ScoreComponent] {
        var result: [ScoreComponent] = []
        for name in score.parts ?? [] {
            guard let part = ScoreComponent(name, timesteps: dissolve.timesteps) else {
                throw ModelFileError(
                    file: Self.fileName,
                    reason: "unknown part '\(name)' in score.parts; valid parts are csi, neighbors.1 to neighbors.4, "
                        + "density.1 to density.4, and residual.STEP with STEP below the number of timesteps"
                )
            }
            result.append(part)
        }
        return result
    }
}
