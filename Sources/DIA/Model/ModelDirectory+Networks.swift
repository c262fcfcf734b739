public import ModelFile
public import Neural

/// The two networks of a model directory with their trained parameters.
extension ModelDirectory {
    /// Loads the U-Net that dissolves images.
    public func unet() throws(ModelFileError) -> (network: UNet, parameters: Parameters) {
        let network = manifest.unet
        return (network, try Parameters(layout: network.graph().parameters, from: unetWeights()))
    }

    /// Loads the encoder that computes the features for the score.
    public func encoder() throws(ModelFileError) -> (network: ResNet18, parameters: Parameters) {
        let network = manifest.encoderNetwork
        return (network, try Parameters(layout: network.graph().parameters, from: encoderWeights()))
    }

    /// Reads the file with the U-Net's parameters.
    func unetWeights() throws(ModelFileError) -> Safetensors {
        try tensors(in: manifest.dissolve.file, sha256: manifest.dissolve.sha256)
    }

    /// Reads the file with the encoder's parameters.
    func encoderWeights() throws(ModelFileError) -> Safetensors {
        try tensors(in: manifest.encoder.file, sha256: manifest.encoder.sha256)
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
