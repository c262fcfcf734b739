import Glibc
public import Logging

/// Format of a log entry; each entry is one line.
public enum LogFormat: String, Sendable, CaseIterable {
    /// For people: time, level, message, then name=value pairs.
    case text
    /// For machines: one JSON object.
    case json

    /// Returns the line of an entry, including its line break; `time` is in seconds since 1970.
    ///
    /// Values are escaped, so that an entry is always one line and the end of each value is unambiguous.
    public func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, time: Double) -> String {
        let stamp = Self.stamp(time)
        let members = metadata.sorted { $0.key < $1.key }
        switch self {
        case .text:
            let pairs = members.map { " \($0.key)=\(Self.plain($0.value))" }.joined()
            return "\(stamp) \(level) \(Self.escaped(message))\(pairs)\n"
        case .json:
            let pairs = members.map { ",\"\(Self.escaped($0.key))\":\(Self.json($0.value))" }.joined()
            let text = "\"time\":\"\(stamp)\",\"level\":\"\(level)\",\"message\":\"\(Self.escaped(message))\""
            return "{\(text)\(pairs)}\n"
        }
    }

    private static func plain(_ value: Logger.MetadataValue) -> String {
        let text = "\(value)"
        let needsQuotes = text.isEmpty || text.unicodeScalars.contains { $0.value <= 0x20 || $0 == "\"" || $0 == "=" }
        return needsQuotes ? "\"\(escaped(text))\"" : escaped(text)
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        if case .stringConvertible(let number) = value {
            if let whole = number as? Int { return "\(whole)" }
            if let real = number as? Double, real.isFinite { return "\(real)" }
        }
        return "\"\(escaped("\(value)"))\""
    }

    /// Escapes text for use in a JSON string (RFC 8259, section 7).
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _
            where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                || [0x2028, 0x2029].contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Formats a time, for example "2026-11-24T21:00:00.123Z" (RFC 3339).
    private static func stamp(_ time: Double) -> String {
        let milliseconds = Int((time * 1000).rounded(.down))
        var seconds = time_t(milliseconds / 1000)
        var parts = unsafe tm()
        unsafe gmtime_r(&seconds, &parts)
        func digits(_ number: some BinaryInteger, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date = unsafe "\(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
        let clock = unsafe "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
        return "\(date)T\(clock).\(digits(milliseconds % 1000, 3))Z"
    }
}
