import HTTP

/// The outcome of one image of a batch.
struct BatchLine {
    let label: BatchInput.Label
    let index: Int
    let outcome: Result<ScoreObject, ServiceError>
}

/// Images of a batch that were not begun before its deadline.
struct BatchRemainder {
    let firstIndex, count: Int
    let error: ServiceError
}

/// How the lines of a batch response are written.
enum BatchFormat: Sendable {
    /// JSON objects (NDJSON), with the chosen members of each score, or all.
    case lines(ResultFields?)
    /// CSV.
    case table(BatchTable)

    /// The Content-Type.
    var contentType: String {
        switch self {
        case .lines: "application/x-ndjson"
        case .table: "text/csv; charset=utf-8; header=present"
        }
    }

    /// What precedes the first line; nil if nothing does.
    var header: [UInt8]? { if case .table(let table) = self { table.header } else { nil } }

    /// Returns `line` with its line end.
    func text(of line: BatchLine) -> [UInt8] {
        switch self {
        case .lines(let fields): line.json(fields)
        case .table(let table): table.row(line)
        }
    }

    /// Returns the last line, for `remainder`, with its line end.
    func text(of remainder: BatchRemainder) -> [UInt8] {
        switch self {
        case .lines: JSON.encode(remainder)
        case .table(let table): table.row(remainder)
        }
    }

    /// Whether the client of `head` asks for CSV: `Accept` has it, and does not prefer JSON (RFC 9110, section 12.5.1).
    static func prefersTable(_ head: RequestHead) -> Bool {
        var (table, lines) = (0.0, 0.0)
        for member in head.headers.members("accept") {
            let parts = member.split(separator: ";").map(\.trimmed)
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            switch parts.first {
            case "text/csv": table = max(table, weight)
            case "application/x-ndjson", "application/ndjson", "application/jsonl": lines = max(lines, weight)
            default: break
            }
        }
        return table > 0 && table >= lines
    }
}

extension BatchLine {
    /// An error of an image.
    fileprivate struct Problem: Encodable {
        let status: Int
        let title, detail: String

        init(_ error: ServiceError) {
            (status, title, detail) = (error.status, Response.reason(error.status), error.detail)
        }
    }

    /// The line as a JSON object, with its ID as it was written.
    fileprivate func json(_ fields: ResultFields?) -> [UInt8] {
        var line = Array("{".utf8)
        switch label {
        case .id(let id): line += Array("\"id\":".utf8) + (id?.text ?? Array("null".utf8)[...])
        case .filename(let name): line += Array("\"filename\":".utf8) + JSON.encode(name).dropLast()
        }
        line += Array(",\"index\":\(index),".utf8)
        switch outcome {
        case .success(let object):
            let text = Array(JSON.encode(object).dropLast())
            line += Array("\"result\":".utf8) + (fields?.selection(from: ResultMembers(text)) ?? text)
        case .failure(let error): line += Array("\"error\":".utf8) + JSON.encode(Problem(error)).dropLast()
        }
        return line + Array("}\n".utf8)
    }
}

extension BatchRemainder: Encodable {
    private enum Key: String, CodingKey {
        case error
        case notDone = "not_done"
        case firstIndex = "first_index"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(BatchLine.Problem(error), forKey: .error)
        try container.encode(count, forKey: .notDone)
        try container.encode(firstIndex, forKey: .firstIndex)
    }
}
