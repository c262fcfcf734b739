/// CSV (RFC 4180).
package enum CSV {
    /// The names of the columns.
    package static let columns = [
        "path", "index", "model", "version", "verdict", "score", "normality", "p_value", "anomalous", "input_p_value",
        "frame", "error",
    ]

    static func fields(of record: Record) -> [String] {
        var members = [String](repeating: "", count: 8)
        var problem = ""
        switch record.outcome {
        case .success(let answer):
            let score = answer.score
            members = [
                score.model.name, score.model.version, score.verdict ?? "", score.score?.formatted ?? "",
                score.normality.formatted, score.pValue?.formatted ?? "", score.isAnomalous?.description ?? "",
                score.inputCheck?.pValue.formatted ?? "",
            ]
        case .failure(let failure): problem = failure.text
        }
        return [record.path.text, String(record.index)] + members + [record.frame.map { String($0) } ?? "", problem]
    }

    /// Returns a record with its line end; a field with a special character, or a space at an end, is quoted.
    package static func record(_ fields: [String]) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        var result: [UInt8] = []
        for (place, field) in fields.enumerated() {
            if place > 0 { result.append(UInt8(ascii: ",")) }
            let bytes = field.utf8
            if bytes.contains(where: "\",\r\n".utf8.contains) || bytes.first == 0x20 || bytes.last == 0x20 {
                result.append(quote)
                for byte in bytes {
                    if byte == quote { result.append(quote) }
                    result.append(byte)
                }
                result.append(quote)
            } else {
                result += bytes
            }
        }
        return result + [0x0D, 0x0A]
    }

    /// Returns the fields of a record without its line end; nil if quotes are misplaced.
    package static func fields(in record: ArraySlice<UInt8>) -> [String]? {
        let (quote, comma) = (UInt8(ascii: "\""), UInt8(ascii: ","))
        var fields: [String] = []
        var place = record.startIndex
        while true {
            var field: [UInt8] = []
            if place < record.endIndex, record[place] == quote {
                place += 1
                while true {
                    guard place < record.endIndex else { return nil }
                    if record[place] == quote {
                        place += 1
                        guard place < record.endIndex, record[place] == quote else { break }
                    }
                    field.append(record[place])
                    place += 1
                }
            } else {
                while place < record.endIndex, record[place] != comma {
                    guard record[place] != quote else { return nil }
                    field.append(record[place])
                    place += 1
                }
            }
            fields.append(String(decoding: field, as: UTF8.self))
            guard place < record.endIndex else { return fields }
            guard record[place] == comma else { return nil }
            place += 1
        }
    }
}
