import Client
import HTTP

extension FuzzTarget {
    /// Files of results that the client continues: records do not depend on where reads are split, cutting a file off
    /// loses only the last record, and fields that are written again are the same.
    static func runResults(_ bytes: [UInt8]) {
        let format: ResultFormat = bytes.first == 0 ? .csv : .jsonl
        let file = Array(bytes.dropFirst())
        let (whole, completeBytes) = records([file], format)
        var (rest, lengths, pieces) = (file[...], Pieces(of: file, longest: 9), [[UInt8]]())
        while !rest.isEmpty {
            let piece = Array(rest.prefix(lengths.next()))
            pieces.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        require(records(pieces, format) == (whole, completeBytes), "records do not depend on where reads are split")
        require(
            records([Array(file.prefix(completeBytes))], format).records == whole,
            "a file without its end has the same records"
        )
        for record in whole {
            _ = JournalEntry(record[...], format)
            guard format == .csv, let fields = CSV.fields(in: record[...]) else { continue }
            let written = CSV.record(fields)
            require(CSV.fields(in: written.dropLast(2)) == fields, "fields are the same when written and read again")
        }
    }

    private static func records(_ pieces: [[UInt8]], _ format: ResultFormat) -> (records: [[UInt8]], completeBytes: Int)
    {
        var splitter = RecordSplitter(format)
        var records: [[UInt8]] = []
        for piece in pieces {
            splitter.append(piece)
            while let record = splitter.next() { records.append(Array(record)) }
        }
        return (records, splitter.completeBytes)
    }

    /// What a server sends to the client: a message for the user is short and has no control characters, and a score is
    /// written on one line.
    static func runAnswer(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        for type in ["application/problem+json", text] {
            var response = Response(503, headers: ["Content-Type": type], body: bytes)
            for name in ["Retry-After", "X-Request-ID", "Location"] { response.headers.append(name, text) }
            let problem = Problem(response, now: 1e9)
            require(problem.retryAfter.map { $0 >= 0 && $0.isFinite } ?? true, "a delay is not negative")
            let message = ClientError.problem(problem).description
            require(
                message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control },
                "a message is printable"
            )
            require(message.unicodeScalars.count < 3000, "a message is short")
        }
        guard let answer = try? ScoreAnswer(bytes) else { return }
        let record = Record(path: InputPath(bytes.filter { $0 != 0 }), index: 0, .success(answer))
        let line = ResultFormat.jsonl.text(of: record)
        require(line.count { $0 == 0x0A } == 1 && line.last == 0x0A, "a JSON record is one line")
        require(JournalEntry(line.dropLast(), .jsonl)?.path == record.path.text, "a JSON record can be read")
        let fields = CSV.fields(in: ResultFormat.csv.text(of: record).dropLast(2))
        require(fields?.count == CSV.columns.count && fields?.first == record.path.text, "a CSV record can be read")
    }
}
