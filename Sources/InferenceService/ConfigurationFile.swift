package import Foundation

/// The server's configuration file: one JSON object with the options' names as members.
package enum ConfigurationFile {
    /// The options in `data` by their names, as the command line would have them; nil if `data` is no object of texts
    /// and whole numbers.
    package static func options(in data: Data) -> [String: String]? {
        try? JSONDecoder().decode([String: Scalar].self, from: data).mapValues(\.text)
    }

    /// A text or a whole number.
    private struct Scalar: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                text = String(number)
            } else {
                text = try container.decode(String.self)
            }
        }
    }
}
