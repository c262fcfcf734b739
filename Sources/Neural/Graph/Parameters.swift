/// One named tensor of a network, in the row-major order of its shape.
public struct Parameter: Sendable, Hashable {
    /// How a parameter is set before training.
    public enum Initialization: Sendable, Hashable {
        /// The same number everywhere.
        case constant(Float)
        /// Uniform in ±bound.
        case uniform(bound: Float)
        /// Normal with mean 0.
        case normal(deviation: Float)
    }

    /// The name in a model file, that of the reference's state dict.
    public let name: String
    /// The shape; convolution weights are `[out, in, kernel, kernel]`, dense weights `[out, in]`.
    public let shape: [Int]
    /// How it starts.
    public let initialization: Initialization
    /// Whether the optimiser moves it; running statistics are moved by the forward pass.
    public let isTrainable: Bool
    /// Where its numbers start among all numbers of the network.
    public let offset: Int

    /// How many numbers it holds.
    public var count: Int { shape.reduce(1, *) }
    /// Its numbers among all numbers of the network.
    public var range: Range<Int> { offset..<offset + count }
}

/// All numbers of a network in one array, and the names of its parts.
public struct Parameters: Sendable {
    /// The parts, in order, without gaps.
    public let layout: [Parameter]
    /// All numbers.
    public var values: [Float]

    /// Zeros for `layout`.
    public init(layout: [Parameter]) {
        self.layout = layout
        values = Array(repeating: 0, count: layout.last.map { $0.offset + $0.count } ?? 0)
    }

    /// Fresh numbers for `layout`, drawn from `generator`.
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

    /// The numbers of the parameter called `name`, if there is one.
    public subscript(name: String) -> [Float]? {
        get { layout.first { $0.name == name }.map { Array(values[$0.range]) } }
        set {
            guard let newValue, let parameter = layout.first(where: { $0.name == name }) else { return }
            precondition(newValue.count == parameter.count, "\(name) takes \(parameter.count) numbers")
            values.replaceSubrange(parameter.range, with: newValue)
        }
    }
}
