import Kernels

extension Graph {
    /// The floating-point operations, two a multiply-add, of the products that the convolutions of `batch` images
    /// really run by the algorithms that the planner chooses for `chunk` of them; with `training` those of the
    /// gradients too.
    ///
    /// Transforms, norms and attention are not counted: what is compared with this is the speed of products.
    public func productOperations(batch: Int, chunk: Int, training: Bool) -> Double {
        nodes.reduce(0) { sum, node in
            guard let shape = (node.operation as? ConvolutionOperation)?.shape else { return sum }
            let algorithm = ConvolutionAlgorithm.choose(shape, batch: chunk)
            let forward = algorithm.operations(shape, batch: batch)
            guard training else { return sum + forward }
            let gradient = algorithm.forGradients.operations(shape, batch: batch)
            // The network's input has no gradient.
            return sum + forward + (inputs.contains(node.inputs[0]) ? 1 : 2) * gradient
        }
    }
}
