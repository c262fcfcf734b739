/// Labels of one series, in order.
///
/// A label must not contain an ID, a path or anything else that a client chooses.
public struct LabelSet: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    private var pairs: [Pair]

    private struct Pair: Sendable, Hashable {
        let name, value: String
    }

    /// Creates the labels of a literal.
    public init(dictionaryLiteral elements: (String, String)...) {
        pairs = elements.map { Pair(name: $0.0, value: $0.1) }
    }

    /// Returns the labels with one more appended.
    func adding(_ name: String, _ value: String) -> LabelSet {
        var result = self
        result.pairs.append(Pair(name: name, value: value))
        return result
    }

    /// `{name="value",...}` in Prometheus' text format; empty without labels.
    var text: String {
        guard !pairs.isEmpty else { return "" }
        return "{" + pairs.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
    }

    private static func escaped(_ text: String) -> String {
        text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : $0 == "\n" ? "\\n" : "\($0)" }.joined()
    }
}
