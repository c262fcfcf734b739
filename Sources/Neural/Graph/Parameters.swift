/// A named tensor of a network, in row-major order.
public struct Parameter: Sendable, Hashable {
    /// The initialization of a parameter before training.
    public enum Initialization: Sendable, Hashable {
        /// The same number everywhere.
        case constant(Float)
        /// Uniform in ±bound.
        case uniform(bound: Float)
        /// Normal with mean 0.
        case normal(deviation: Float)
    }

    /// The name in a model file, which is the name in the state dict of the reference implementation.
    public let name: String
    /// The shape; convolution weights are `[out, in, kernel, kernel]`, dense weights `[out, in]`.
    public let shape: [Int]
    /// The initialization before training.
    public let initialization: Initialization
    /// Whether the optimizer updates it; running statistics are updated by the forward pass.
    public let isTrainable: Bool
    /// The offset of its numbers in the array of all numbers of the network.
    public let offset: Int

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
    /// The range of its numbers in the array of all numbers of the network.
    public var range: Range<Int> { offset..<offset + count }
}

/// All numbers of a network in one array, with the names of its parts.
public struct Parameters: Sendable {
    /// The parts, in order, without gaps.
    public let layout: [Parameter]
    /// All numbers.
    public var values: [Float]

    /// Creates zeros for `layout`.
    public init(layout: [Parameter]) {
        self.layout = layout
        values = Array(repeating: 0, count: layout.last.map { $0.offset + $0.count } ?? 0)
    }

    /// Creates initial values for `layout`, drawn from `generator`.
    public init(layout: [Parameter], using generator: inout some RandomNumberGenerator) {
        self.init(layout: layout)
        for parameter in layout {
            for index in parameter.range {
                values[index] =
                    switch parameter.initialization {
                    case .constant(let value): value
                    case .uniform(let bound): Float.random(in: -bound...bound, using: &generator)
                    case .normal(let deviation): Normal.next(using: &generator) * deviation
                    }
            }
        }
    }

    /// The numbers of the parameter named `name`; nil if it does not exist.
    public subscript(name: String) -> [Float]? {
        get { layout.first { $0.name == name }.map { Array(values[$0.range]) } }
        set {
            guard let newValue, let parameter = layout.first(where: { $0.name == name }) else { return }
            precondition(newValue.count == parameter.count, "\(name) must have \(parameter.count) numbers")
            values.replaceSubrange(parameter.range, with: newValue)
        }
    }
}
