import HTTP

/// The parameters of a query, each given at most once.
package struct QueryParameters: Sendable {
    private let values: [String: String]
    /// A message for the client about parameters that were ignored; nil if there are none.
    let warning: String?

    /// Parses `query`; throws if a parameter is repeated, or is not one of `names` unless others are to be ignored.
    package init(
        _ query: [(name: String, value: String)],
        allowed names: [String],
        ignoringOthers: Bool = false
    ) throws(ServiceError) {
        let list = names.map { "'\($0)'" }.joined(separator: ", ")
        var values: [String: String] = [:]
        var ignored = false
        for (name, value) in query {
            guard names.contains(name) else {
                guard ignoringOthers else {
                    throw ServiceError(400, "the query has an unknown parameter; this path allows \(list)")
                }
                ignored = true
                continue
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw ServiceError(400, "'\(name)' appears more than once")
            }
        }
        self.values = values
        warning = ignored ? "unknown query parameters were ignored; this path allows \(list)" : nil
    }

    /// The value of the parameter named `name`; nil if it is absent.
    subscript(name: String) -> String? { values[name] }

    /// Returns the Boolean parameter named `name`: true, false, 1 or 0 in any case; nil if it is absent.
    func boolean(_ name: String) throws(ServiceError) -> Bool? {
        switch values[name]?.lowercased() {
        case nil: return nil
        case "true"?, "1"?: return true
        case "false"?, "0"?: return false
        default: throw ServiceError(400, "'\(name)' must be true or false")
        }
    }

    /// Returns the finite number in the parameter named `name`; nil if it is absent.
    func number(_ name: String) throws(ServiceError) -> Double? {
        guard let text = values[name] else { return nil }
        guard let number = Double(text), number.isFinite else { throw ServiceError(400, "'\(name)' must be a number") }
        return number
    }
}
