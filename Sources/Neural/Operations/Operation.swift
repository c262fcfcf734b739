import Kernels

/// One step of a network: a function of one or two values, with its gradient.
///
/// Forward and backward stand side by side in one file. An operation is a value that knows its shapes
/// and where its parameters are; buffers are handed to it.
protocol Operation: Sendable {
    /// Whether `backward` reads the inputs.
    var readsInputs: Bool { get }
    /// Whether `backward` reads the output.
    var readsOutput: Bool { get }
    /// Floats that `forward` leaves for `backward`.
    func savedCount(batch: Int) -> Int
    /// Floats of workspace that either pass of training may use while it runs.
    func workspaceCount(batch: Int) -> Int
    /// Where the operation's numbers are among all of the network.
    var parameterRange: Range<Int> { get }
    /// Whether ``repeatForward(_:)`` is cheap: a large plan then drops the output after the forward pass.
    ///
    /// The backward pass of such an operation reads its input, so that is still there.
    var isRepeatable: Bool { get }
    /// Computes the output.
    func forward(_ pass: ForwardPass)
    /// Computes the output again, from what the forward pass saved and to the same last bit, and moves nothing
    /// else; only called where ``isRepeatable``.
    func repeatForward(_ pass: ForwardPass)
    /// Computes the gradients of the inputs, and adds those of the parameters.
    func backward(_ pass: BackwardPass)
}

extension Operation {
    var readsInputs: Bool { true }
    var readsOutput: Bool { false }
    func savedCount(batch: Int) -> Int { 0 }
    func workspaceCount(batch: Int) -> Int { 0 }
    var parameterRange: Range<Int> { 0..<0 }
    var isRepeatable: Bool { false }
    func repeatForward(_ pass: ForwardPass) { forward(pass) }
}

/// What an operation's forward pass works on.
///
/// Every buffer holds at least `batch` images.
struct ForwardPass {
    var batch: Int
    var first: Floats
    /// The second input, where the operation has one.
    var second: Floats?
    var output: MutableFloats
    var saved: MutableFloats
    var workspace: MutableFloats
    /// All numbers of the network; running statistics are written.
    var parameters: MutableFloats
    var workers: ThreadPool
}

/// Where a gradient goes.
struct GradientTarget {
    var pointer: MutableFloats
    /// Whether another consumer's share is already there.
    var accumulate: Bool
}

/// What an operation's backward pass works on.
struct BackwardPass {
    var batch: Int
    /// The inputs and the output of the forward pass; meaningful only if the operation reads them.
    var first: Floats
    var second: Floats?
    var output: Floats
    var saved: Floats
    var workspace: MutableFloats
    var parameters: Floats
    var outputGradient: Floats
    /// Where the inputs' gradients go; nil for an input that needs none.
    var firstGradient: GradientTarget?
    var secondGradient: GradientTarget?
    /// Gradients of all numbers of the network; always added to.
    var parameterGradients: MutableFloats
    var workers: ThreadPool
}
