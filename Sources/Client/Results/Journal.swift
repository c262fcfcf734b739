import Glibc

/// A file of results that a repeated run continues (`--resume`).
///
/// The file is the result itself, in CSV or JSON lines. Opening it removes the last record if that is incomplete, and
/// the records of images that failed, so that they are tried again. After that, records are only appended.
public final class Journal {
    /// What the file may hold: results of one model.
    public struct Model: Sendable {
        let name, version, digest: String

        /// Creates the expectation of a model.
        public init(name: String, version: String, digest: String) {
            (self.name, self.version, self.digest) = (name, version, digest)
        }
    }

    /// The file, at whose end records are written.
    public let file: ResultFile
    /// The images that have a score in the file.
    public let done: Images

    /// A set of images.
    public struct Images: Sendable {
        private struct Key: Hashable {
            let path: String
            let frame: Int?
        }

        private var keys: Set<Key> = []

        /// Creates an empty set.
        public init() {}

        /// The number of images.
        public var count: Int { keys.count }

        /// Returns whether the set has the frame of the file at `path`; nil for a file with one image.
        public func contains(_ path: InputPath, frame: Int?) -> Bool {
            keys.contains(Key(path: path.text, frame: frame))
        }

        fileprivate mutating func insert(_ path: String, _ frame: Int?) { keys.insert(Key(path: path, frame: frame)) }
    }

    /// Opens or creates the file at `path`, whose records must be scores by `model`.
    public init(_ path: String, _ format: ResultFormat, model: Model) throws(ResultFile.Failure) {
        precondition(format != .table, "a table cannot be continued")
        let opened = try Self.openLocked(path)
        let contents = try Contents(of: opened, format, model)
        done = contents.done
        guard contents.failures > 0 else {
            // Only the end is repaired.
            try opened.truncate(to: contents.completeBytes)
            if contents.completeBytes == 0 { try opened.write(format.header) }
            try opened.synchronize()
            file = opened
            return
        }
        file = try Self.withoutFailures(opened, format)
    }

    /// Opens and locks the file, also if another run replaces it meanwhile.
    private static func openLocked(_ path: String) throws(ResultFile.Failure) -> ResultFile {
        while true {
            let file = try ResultFile(path, flags: O_RDWR | O_CREAT | O_APPEND)
            try file.lock()
            if file.isCurrent { return file }
        }
    }

    /// Replaces a file with one that has only its scores.
    private static func withoutFailures(_ file: ResultFile, _ format: ResultFormat) throws(ResultFile.Failure)
        -> ResultFile
    {
        let copy = try ResultFile("\(file.path).dia-new", flags: O_RDWR | O_CREAT | O_TRUNC | O_APPEND)
        try copy.lock()
        try copy.write(format.header)
        let lineEnd: [UInt8] = format == .csv ? [0x0D, 0x0A] : [0x0A]
        try Contents.forEachRecord(of: file, format) { (record, number) throws(ResultFile.Failure) in
            guard format != .csv || number > 1, JournalEntry(record, format)?.model != nil else { return }
            try copy.write(record + lineEnd)
        }
        try copy.synchronize()
        try copy.rename(to: file.path)
        return copy
    }

    /// What is in a file.
    private struct Contents {
        var done = Images()
        var failures = 0
        var completeBytes = 0

        init(of file: ResultFile, _ format: ResultFormat, _ model: Model) throws(ResultFile.Failure) {
            let rest = try Self.forEachRecord(of: file, format) { (record, number) throws(ResultFile.Failure) in
                if format == .csv, number == 1 {
                    guard record.elementsEqual(format.header.dropLast(2)) else { throw Self.foreign(file, format, 1) }
                    return
                }
                guard let entry = JournalEntry(record, format) else { throw Self.foreign(file, format, number) }
                guard let scored = entry.model else {
                    failures += 1
                    return
                }
                let isSame =
                    scored.name == model.name && scored.version == model.version
                    && (scored.digest ?? model.digest) == model.digest
                guard isSame else {
                    throw ResultFile.Failure(
                        "\(file.path) has scores of the model \(Self.name(scored)), and this run would add those of "
                            + "\(Self.name((model.name, model.version, model.digest))); use another file"
                    )
                }
                done.insert(entry.path, entry.frame)
            }
            completeBytes = rest.completeBytes
            // The beginning of a record, which a run that was killed left; anything else is another file.
            let expected =
                completeBytes == 0 && format == .csv ? format.header : format == .jsonl ? JSONLine.prefix : []
            guard zip(rest.bytes, expected).allSatisfy({ $0 == $1 }) else { throw Self.foreign(file, format, 1) }
        }

        private static func name(_ model: (name: String, version: String, digest: String?)) -> String {
            let digest = model.digest.map { " (\($0.prefix(19)))" } ?? ""
            return Problem.printable("\(model.name) \(model.version)\(digest)")
        }

        private static func foreign(_ file: ResultFile, _ format: ResultFormat, _ number: Int) -> ResultFile.Failure {
            ResultFile.Failure(
                "\(file.path) is not a file of results in the format \(format.rawValue) (record \(number)); nothing was "
                    + "changed"
            )
        }

        /// Calls `body` with each complete record and its number from 1; returns what follows the last.
        @discardableResult static func forEachRecord(
            of file: ResultFile,
            _ format: ResultFormat,
            _ body: (ArraySlice<UInt8>, Int) throws(ResultFile.Failure) -> Void
        ) throws(ResultFile.Failure) -> (completeBytes: Int, bytes: ArraySlice<UInt8>) {
            var splitter = RecordSplitter(format)
            var (offset, number) = (0, 0)
            while true {
                let piece = try file.read(1 << 18, at: offset)
                guard !piece.isEmpty else { return (splitter.completeBytes, splitter.rest) }
                offset += piece.count
                splitter.append(piece)
                while let record = splitter.next() {
                    number += 1
                    try body(record, number)
                }
                if splitter.isTooLong { throw foreign(file, format, number + 1) }
            }
        }
    }
}
