public import Foundation

/// A JSON decoding error as text: the member and what is wrong with it.
public struct DecodingFailure: CustomStringConvertible {
    /// "member: reason".
    public let description: String

    /// Creates the text for `error`, which was thrown while decoding `data`.
    public init(_ error: any Error, in data: Data) {
        description =
            switch error as? DecodingError {
            case .keyNotFound(let key, let context): "\(Self.description(of: context.codingPath + [key])) is missing"
            case .typeMismatch(let type, let context):
                "\(Self.description(of: context.codingPath)) is not of type \(type)"
            case .valueNotFound(let type, let context):
                "\(Self.description(of: context.codingPath)) is null, expected \(type)"
            case .dataCorrupted(let context) where !context.codingPath.isEmpty:
                context.debugDescription.hasPrefix("is ")
                    ? "\(Self.description(of: context.codingPath)) \(context.debugDescription)"
                    : "\(Self.description(of: context.codingPath)) is invalid: \(context.debugDescription)"
            default:
                if let value = try? JSONDecoder().decode(JSONValue.self, from: data) {
                    // The decoder does not report the position of a number that does not fit an integer.
                    Self.outOfRangeNumber(value, "") ?? "a number is not an integer where an integer is expected"
                } else {
                    "is not valid JSON"
                }
            }
    }

    private static func description(of path: [any CodingKey]) -> String {
        path.isEmpty ? "document" : path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }

    /// The first number that does not fit any integer member, with its path.
    private static func outOfRangeNumber(_ value: JSONValue, _ path: String) -> String? {
        switch value {
        case .number(let number) where number < 0 || number > 9e15: "\(path.dropFirst()) is \(number), out of range"
        case .array(let values): values.lazy.compactMap { outOfRangeNumber($0, path) }.first
        case .object(let members):
            members.sorted { $0.key < $1.key }.lazy.compactMap { outOfRangeNumber($0.value, "\(path).\($0.key)") }.first
        default: nil
        }
    }
}
