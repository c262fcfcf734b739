import Kernels

extension Graph {
    /// The floating-point operations of the convolution products of `batch` images; a multiply-add counts as two.
    ///
    /// Counts the operations that the chosen algorithms perform if `chunk` images run at a time; with `training`, the
    /// gradients are included. Transforms, norms and attention are not counted, because the result is compared with
    /// the throughput of matrix products.
    public func productOperations(batch: Int, chunk: Int, training: Bool) -> Double {
        nodes.reduce(0) { sum, node in
            guard case .convolution(let convolution) = node.operation.role else { return sum }
            let shape = convolution.shape
            let algorithm = ConvolutionAlgorithm.choose(shape, batch: chunk)
            let forward = algorithm.operations(shape, batch: batch)
            guard training else { return sum + forward }
            let gradient = algorithm.forGradients.operations(shape, batch: batch)
            // No gradient is computed for the input of the network.
            return sum + forward + (inputs.contains(node.inputs[0]) ? 1 : 2) * gradient
        }
    }
}
