/// A batch response in CSV (RFC 4180).
struct BatchTable: Sendable {
    /// What a column holds.
    private enum Content: Sendable {
        case label, index, error
        /// Always empty: for tables that are joined with those of images with several frames.
        case frame
        /// The member of the score object at a path.
        case member([String])
    }

    private struct Column: Sendable {
        let name: String
        let content: Content
    }

    private let columns: [Column]

    /// Creates a table of `fields`, or of the usual columns; `label` is the name of the column with the clients' labels
    /// of the images.
    ///
    /// A field whose members are fixed becomes one column for each, named `field.member`. The label, the index and the
    /// error have columns even if the fields do not name them.
    init(_ fields: ResultFields?, label: String) {
        guard let fields else {
            columns = [
                Column(name: label, content: .label), Column(name: "index", content: .index),
                Column(name: "model", content: .member(["model", "name"])),
                Column(name: "version", content: .member(["model", "version"])),
                Column(name: "verdict", content: .member(["verdict"])),
                Column(name: "score", content: .member(["score"])),
                Column(name: "normality", content: .member(["normality"])),
                Column(name: "p_value", content: .member(["p_value"])),
                Column(name: "anomalous", content: .member(["anomalous"])),
                Column(name: "input_p_value", content: .member(["input_check", "p_value"])),
                Column(name: "frame", content: .frame), Column(name: "error", content: .error),
            ]
            return
        }
        let names = Set(fields.fields.map(\.name))
        var columns: [Column] = []
        if !names.contains("id"), !names.contains("filename") { columns.append(Column(name: label, content: .label)) }
        if !names.contains("index") { columns.append(Column(name: "index", content: .index)) }
        for field in fields.fields {
            switch field.name {
            case "id", "filename": columns.append(Column(name: field.name, content: .label))
            case "index": columns.append(Column(name: "index", content: .index))
            case "error": columns.append(Column(name: "error", content: .error))
            default:
                let members = ResultFields.members.first { [$0.name] == field.path }?.members ?? []
                columns += members.map { Column(name: "\(field.name).\($0)", content: .member(field.path + [$0])) }
                if members.isEmpty { columns.append(Column(name: field.name, content: .member(field.path))) }
            }
        }
        if !names.contains("error") { columns.append(Column(name: "error", content: .error)) }
        self.columns = columns
    }

    /// The header line.
    var header: [UInt8] { Self.record(columns.map { Array($0.name.utf8) }) }

    /// Returns the record of `line`.
    func row(_ line: BatchLine) -> [UInt8] {
        var members: ResultMembers?
        var problem: String?
        switch line.outcome {
        case .success(let object): members = ResultMembers(Array(JSON.encode(object).dropLast()))
        case .failure(let error): problem = "\(error.status) \(error.detail)"
        }
        return record(label: line.label, index: line.index, members, problem)
    }

    /// Returns the last record, for images that were not begun.
    func row(_ remainder: BatchRemainder) -> [UInt8] {
        let count = remainder.count
        let problem =
            "\(remainder.error.status) \(remainder.error.detail); \(count) image\(count == 1 ? "" : "s") not done"
        return record(label: nil, index: remainder.firstIndex, nil, problem)
    }

    private func record(
        label: BatchInput.Label?,
        index: Int,
        _ members: ResultMembers?,
        _ problem: String?
    ) -> [UInt8] {
        Self.record(
            columns.map { column in
                switch column.content {
                case .label: Self.text(label)
                case .index: Array(String(index).utf8)
                case .error: Array((problem ?? "").utf8)
                case .frame: []
                case .member(let path): members?[path].map(Self.text) ?? []
                }
            }
        )
    }

    private static func text(_ label: BatchInput.Label?) -> [UInt8] {
        switch label {
        case nil: []
        case .filename(let name)?: Array((name ?? "").utf8)
        case .id(let id)?: id.map { text($0.text) } ?? []
        }
    }

    /// Returns the text of a JSON value: a string without quotes and escapes, nothing for null, an array or an object
    /// as JSON.
    private static func text(_ value: ArraySlice<UInt8>) -> [UInt8] {
        if value.first == UInt8(ascii: "\"") { return Array(JSONUnescaping(value.dropFirst().dropLast())) }
        return value.elementsEqual("null".utf8) ? [] : Array(value)
    }

    /// Returns a record with its line end; a field with a special character is quoted.
    private static func record(_ fields: [[UInt8]]) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        let special = Set("\",\r\n".utf8)
        let texts = fields.map { field -> [UInt8] in
            guard field.contains(where: special.contains) || field.first == 0x20 || field.last == 0x20 else {
                return field
            }
            return [quote] + field.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
        }
        return Array(texts.joined(separator: ",".utf8)) + [0x0D, 0x0A]
    }
}
