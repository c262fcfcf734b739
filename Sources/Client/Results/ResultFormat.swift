/// How records are written.
public enum ResultFormat: String, Sendable, CaseIterable {
    /// Columns for reading; paths last, so that they need no width.
    case table
    /// CSV (RFC 4180) with the columns of the server's, and the path.
    case csv
    /// JSON objects, one a line: path, index, frame, and result or error.
    case jsonl

    /// What precedes the first record.
    public var header: [UInt8] {
        switch self {
        case .table: Array("\(TextTable.header)\n".utf8)
        case .csv: CSV.record(CSV.columns)
        case .jsonl: []
        }
    }

    /// Returns `record` with its line end.
    public func text(of record: Record) -> [UInt8] {
        switch self {
        case .table: Array("\(TextTable.row(record))\n".utf8)
        case .csv: CSV.record(CSV.fields(of: record))
        case .jsonl: JSONLine.text(of: record)
        }
    }
}

/// The table for reading.
enum TextTable {
    static let header = row("verdict", "score", "p-value", "normality", "path")

    static func row(_ record: Record) -> String {
        let path = record.path.printable + (record.frame.map { " (frame \($0))" } ?? "")
        switch record.outcome {
        case .failure(let failure): return row("error", "-", "-", "-", "\(path): \(Problem.printable(failure.text))")
        case .success(let answer):
            let score = answer.score
            return row(
                Problem.printable(score.verdict ?? "-"),
                score.score.map { rounded($0) } ?? "-",
                score.pValue.map { rounded($0) } ?? "-",
                rounded(score.normality),
                path
            )
        }
    }

    private static func row(_ verdict: String, _ score: String, _ p: String, _ normality: String, _ path: String)
        -> String
    {
        padded(verdict, 16) + padded(score, 8) + padded(p, 9) + padded(normality, 11) + path
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    /// Returns `value` with four decimals.
    private static func rounded(_ value: Double) -> String {
        guard abs(value) < 1e9 else { return "\(value)" }
        let scaled = Int((abs(value) * 10_000).rounded())
        let decimals = String(scaled % 10_000)
        return (value < 0 ? "-" : "") + "\(scaled / 10_000)." + String(repeating: "0", count: 4 - decimals.count)
            + decimals
    }
}
