import Foundation

/// What a run needs to know of a record that an earlier run wrote.
package struct JournalEntry: Equatable {
    /// The path as it is written in results, and the frame.
    package let path: String
    let frame: Int?
    /// The model; nil if the image failed.
    let model: (name: String, version: String, digest: String?)?

    package static func == (first: JournalEntry, second: JournalEntry) -> Bool {
        first.path == second.path && first.frame == second.frame && first.model?.name == second.model?.name
            && first.model?.version == second.model?.version && first.model?.digest == second.model?.digest
    }

    private struct Line: Decodable {
        struct Result: Decodable { let model: Score.Model }
        struct Failure: Decodable { let detail: String }
        let path: String
        let frame: Int?
        let result: Result?
        let error: Failure?
    }

    /// Reads a record without its line end; nil if it is not a record.
    package init?(_ record: ArraySlice<UInt8>, _ format: ResultFormat) {
        switch format {
        case .table: return nil
        case .jsonl:
            guard record.starts(with: JSONLine.prefix),
                let line = try? JSONDecoder().decode(Line.self, from: Data(record)),
                (line.result == nil) != (line.error == nil)
            else { return nil }
            (path, frame) = (line.path, line.frame)
            model = line.result.map { ($0.model.name, $0.model.version, $0.model.digest) }
        case .csv:
            guard let fields = CSV.fields(in: record), fields.count == CSV.columns.count else { return nil }
            let (frameText, problem) = (fields[10], fields[11])
            guard frameText.isEmpty || Int(frameText) != nil else { return nil }
            (path, frame) = (fields[0], Int(frameText))
            model = problem.isEmpty ? (fields[2], fields[3], nil) : nil
        }
    }
}
