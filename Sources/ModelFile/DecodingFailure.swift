public import Foundation

/// A decoding error in words: the member and what is wrong with it.
public struct DecodingFailure: CustomStringConvertible {
    /// "member: reason".
    public let description: String

    /// The words for `error`, which decoding `data` threw.
    public init(_ error: any Error, in data: Data) {
        description =
            switch error as? DecodingError {
            case .keyNotFound(let key, let context): "\(Self.place(context.codingPath + [key])) is missing"
            case .typeMismatch(let type, let context): "\(Self.place(context.codingPath)) is no \(type)"
            case .valueNotFound(let type, let context): "\(Self.place(context.codingPath)) is null, \(type) expected"
            case .dataCorrupted(let context) where !context.codingPath.isEmpty:
                "\(Self.place(context.codingPath)) is not valid: \(context.debugDescription)"
            default:
                if let value = try? JSONDecoder().decode(JSONValue.self, from: data) {
                    // The decoder does not say where a number was that fits no integer.
                    Self.oddNumber(value, "") ?? "a number is not whole where a whole one is expected"
                } else {
                    "is not valid JSON"
                }
            }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "the whole" : path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    }

    /// The first number that no integer member can hold, and where it stands.
    private static func oddNumber(_ value: JSONValue, _ path: String) -> String? {
        switch value {
        case .number(let number) where number < 0 || number > 9e15: "\(path.dropFirst()) is \(number), out of range"
        case .array(let values): values.lazy.compactMap { oddNumber($0, path) }.first
        case .object(let members):
            members.sorted { $0.key < $1.key }.lazy.compactMap { oddNumber($0.value, "\(path).\($0.key)") }.first
        default: nil
        }
    }
}
