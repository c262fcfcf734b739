import Kernels

/// A value of a graph: the result of one operation, or an input.
public struct Value: Sendable, Hashable {
    let index: Int
}

/// A network as a list of operations in execution order, shared by training and inference.
///
/// Each method that builds the graph appends an operation and returns its result. ``TrainingPlan`` runs the forward
/// and backward passes, and ``InferencePlan`` prepares the graph for inference.
public struct Graph: Sendable {
    /// One operation and the values it connects.
    struct Node: Sendable {
        let operation: any Operation
        let inputs: [Int]
        let output: Int
    }

    private(set) var nodes: [Node] = []
    private(set) var shapes: [PlaneShape] = []
    private(set) var inputs: [Int] = []
    private(set) var outputs: [Int] = []
    /// The parameters of the network in the order of their declaration.
    public private(set) var parameters: [Parameter] = []

    /// Creates an empty network.
    public init() {}

    /// Declares the next input.
    public mutating func input(_ shape: PlaneShape) -> Value {
        let value = append(shape)
        inputs.append(value.index)
        return value
    }

    /// Declares `value` as the next output.
    public mutating func output(_ value: Value) { outputs.append(value.index) }

    /// The shapes of the outputs.
    public var outputShapes: [PlaneShape] { outputs.map { shapes[$0] } }

    /// Returns the shape of a value.
    public func shape(of value: Value) -> PlaneShape { shapes[value.index] }

    private mutating func append(_ shape: PlaneShape) -> Value {
        shapes.append(shape)
        return Value(index: shapes.count - 1)
    }

    /// Appends `operation` with a result of shape `shape`.
    mutating func apply(_ operation: any Operation, to inputs: Value..., shape: PlaneShape) -> Value {
        let output = append(shape)
        nodes.append(Node(operation: operation, inputs: inputs.map(\.index), output: output.index))
        return output
    }

    /// Declares a parameter and returns its offset.
    mutating func parameter(
        _ name: String,
        _ shape: [Int],
        _ initialization: Parameter.Initialization,
        isTrainable: Bool = true
    ) -> Int {
        precondition(!parameters.contains { $0.name == name }, "duplicate parameter '\(name)'")
        let offset = parameters.last.map { $0.offset + $0.count } ?? 0
        parameters.append(
            Parameter(
                name: name,
                shape: shape,
                initialization: initialization,
                isTrainable: isTrainable,
                offset: offset
            )
        )
        return offset
    }

    /// For each value, the index of the node that computes it; nil for the inputs.
    var producers: [Int?] {
        var result = [Int?](repeating: nil, count: shapes.count)
        for (index, node) in nodes.enumerated() { result[node.output] = index }
        return result
    }

    /// For each value, the indices of the nodes that read it, in order.
    var consumers: [[Int]] {
        var result = Array(repeating: [Int](), count: shapes.count)
        for (index, node) in nodes.enumerated() {
            for input in node.inputs { result[input].append(index) }
        }
        return result
    }
}
