import Kernels

/// One operation of a network: a function of one or two values, with its gradient.
///
/// An operation is a value type that holds its shapes and the offsets of its parameters. The caller passes the
/// buffers.
protocol Operation: Sendable {
    /// What a planner does with the operation, other than running it.
    var role: OperationRole { get }
    /// Whether the gradient of the output is needed even if no input needs one.
    ///
    /// False only for an operation that comes before all parameters.
    var outputNeedsGradient: Bool { get }
    /// Whether `backward` reads the inputs.
    var readsInputs: Bool { get }
    /// Whether `backward` reads the output.
    var readsOutput: Bool { get }
    /// The number of floats that `forward` saves for `backward`.
    func savedCount(batch: Int) -> Int
    /// The number of floats of workspace that each pass of training uses.
    func workspaceCount(batch: Int) -> Int
    /// The range of the operation's parameters in the array of all numbers of the network.
    var parameterRange: Range<Int> { get }
    /// Whether ``repeatForward(_:)`` is cheap: a large plan then discards the output after the forward pass.
    ///
    /// The backward pass of such an operation reads its input, so the input is still available.
    var isRepeatable: Bool { get }
    /// Computes the output.
    func forward(_ pass: ForwardPass)
    /// Computes the output again from what the forward pass saved, with bit-identical results and no side effects.
    ///
    /// Only called if ``isRepeatable``.
    func repeatForward(_ pass: ForwardPass)
    /// Computes the gradients of the inputs, and adds those of the parameters to the accumulated gradients.
    func backward(_ pass: BackwardPass)
}

/// The operations that planners treat specially.
enum OperationRole {
    /// A convolution; for inference its weights are prepared, and the operations after it are fused into it.
    case convolution(ConvolutionOperation)
    /// A batch normalization, which inference folds into the weights of the convolution before it.
    case batchNorm(BatchNormOperation)
    /// A sum, followed by a ReLU if `relu`, which inference can compute in the epilogue of a convolution.
    case sum(relu: Bool)
    /// Any other operation; it runs unchanged.
    case other
}

extension Operation {
    var role: OperationRole { .other }
    var outputNeedsGradient: Bool { true }
    var readsInputs: Bool { true }
    var readsOutput: Bool { false }
    func savedCount(batch: Int) -> Int { 0 }
    func workspaceCount(batch: Int) -> Int { 0 }
    var parameterRange: Range<Int> { 0..<0 }
    var isRepeatable: Bool { false }
    func repeatForward(_ pass: ForwardPass) { forward(pass) }
}

/// The buffers of an operation's forward pass.
///
/// Every buffer holds at least `batch` images.
struct ForwardPass {
    var batch: Int
    var first: Floats
    /// The second input, if the operation has one.
    var second: Floats?
    var output: MutableFloats
    var saved: MutableFloats
    var workspace: MutableFloats
    /// All numbers of the network; running statistics are written.
    var parameters: MutableFloats
    var workers: ThreadPool
}

/// The destination of a gradient.
struct GradientTarget {
    var pointer: MutableFloats
    /// Whether it already holds the gradient of another consumer.
    var accumulate: Bool
}

/// The buffers of an operation's backward pass.
struct BackwardPass {
    var batch: Int
    /// The inputs and the output of the forward pass; valid only if the operation reads them.
    var first: Floats
    var second: Floats?
    var output: Floats
    var saved: Floats
    var workspace: MutableFloats
    var parameters: Floats
    var outputGradient: Floats
    /// The destinations of the gradients of the inputs; nil for an input that needs no gradient.
    var firstGradient: GradientTarget?
    var secondGradient: GradientTarget?
    /// The gradients of all numbers of the network; always added to.
    var parameterGradients: MutableFloats
    var workers: ThreadPool
}
