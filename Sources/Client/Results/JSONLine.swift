import Foundation

/// A record as a JSON object on one line.
enum JSONLine {
    /// The first bytes of every line.
    static let prefix = Array("{\"path\":\"".utf8)

    static func text(of record: Record) -> [UInt8] {
        var line = "{\"path\":\(string(record.path.text)),\"index\":\(record.index),"
        line += "\"frame\":\(record.frame.map { String($0) } ?? "null"),"
        switch record.outcome {
        case .success(let answer):
            return Array("\(line)\"result\":".utf8) + answer.json + Array("}\n".utf8)
        case .failure(let failure):
            line += "\"error\":{\"status\":\(failure.status.map { String($0) } ?? "null"),"
            line += "\"detail\":\(string(failure.detail)),"
            line += "\"request_id\":\(failure.requestID.map { string($0) } ?? "null")}}\n"
            return Array(line.utf8)
        }
    }

    /// Returns `text` as a JSON string (RFC 8259, section 7).
    static func string(_ text: String) -> String {
        let digits = Array("0123456789abcdef")
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..."\u{1F}": result += "\\u00\(digits[Int(scalar.value >> 4)])\(digits[Int(scalar.value & 15)])"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
