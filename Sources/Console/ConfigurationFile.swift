package import Foundation

/// The server's configuration file: one JSON object with the options' names as members.
package enum ConfigurationFile {
    /// The options in `data` by their names, as the command line would have them; nil if `data` is no object of texts,
    /// whole numbers, true and false.
    package static func options(in data: Data) -> [String: String]? {
        try? JSONDecoder().decode([String: Scalar].self, from: data).mapValues(\.text)
    }

    /// A text, a whole number, true or false.
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
