public import ModelFile
public import Neural

/// The two networks of a model directory, with their trained numbers.
extension ModelDirectory {
    /// The U-Net that dissolves.
    public func unet() throws(ModelFileError) -> (network: UNet, parameters: Parameters) {
        let part = manifest.dissolve
        let network = UNet(
            dim: part.dim,
            multipliers: part.dimMults,
            channels: part.channels,
            resolution: part.resolution
        )
        return (network, try parameters(network.graph().parameters, part.file, part.sha256))
    }

    /// The encoder that scores.
    public func encoder() throws(ModelFileError) -> (network: ResNet18, parameters: Parameters) {
        let part = manifest.encoder
        let network = ResNet18(
            stem: part.stem == "imagenet" ? .imagenet : .cifar,
            width: part.width,
            channels: part.channels,
            height: manifest.input.height,
            columns: manifest.input.width,
            projection: part.projection,
            shifts: Shift.count
        )
        return (network, try parameters(network.graph().parameters, part.file, part.sha256))
    }

    /// The numbers of `layout` from a weights file; other tensors in it are left alone.
    private func parameters(
        _ layout: [Parameter],
        _ file: String,
        _ sha256: String
    ) throws(ModelFileError) -> Parameters {
        let tensors = try tensors(in: file, sha256: sha256)
        var result = Parameters(layout: layout)
        for parameter in layout {
            let values = try tensors.floats(parameter.name, shape: parameter.shape)
            if parameter.name.hasSuffix("running_var"), let bad = values.firstIndex(where: { $0 < 0 }) {
                throw ModelFileError(file: file, tensor: parameter.name, reason: "element \(bad) is negative")
            }
            result.values.replaceSubrange(parameter.range, with: values)
        }
        return result
    }
}
