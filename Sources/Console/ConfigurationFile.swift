package import Foundation

/// The server's configuration file: one JSON object whose members are named like the options.
package enum ConfigurationFile {
    /// Returns the options in `data` by name, in the form of command-line values.
    ///
    /// Returns nil if `data` is not a JSON object of strings, integers and booleans.
    package static func options(in data: Data) -> [String: String]? {
        try? JSONDecoder().decode([String: Scalar].self, from: data).mapValues(\.text)
    }

    /// A string, an integer or a boolean.
    private struct Scalar: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                text = String(flag)
            } else if let number = try? container.decode(Int.self) {
                text = String(number)
            } else {
                text = try container.decode(String.self)
            }
        }
    }
}
