/// A function of one plane without parameters, and its gradient.
public protocol PlaneKernel: Sendable {
    /// Whether ``backward(batch:input:output:outputGradient:inputGradient:accumulate:_:)`` reads `input`.
    static var gradientReadsInput: Bool { get }
    /// Whether ``backward(batch:input:output:outputGradient:inputGradient:accumulate:_:)`` reads `output`.
    static var gradientReadsOutput: Bool { get }

    /// Computes `output` from `input`, both with `batch` images.
    func forward(batch: Int, input: Floats, output: MutableFloats, _ workers: ThreadPool)

    /// Computes ∂loss/∂input from ∂loss/∂output; adds it to `inputGradient` when `accumulate`, otherwise stores it there.
    ///
    /// `input` and `output` are those of the forward pass. They are valid only if the gradient reads them.
    func backward(
        batch: Int,
        input: Floats,
        output: Floats,
        outputGradient: Floats,
        inputGradient: MutableFloats,
        accumulate: Bool,
        _ workers: ThreadPool
    )
}
