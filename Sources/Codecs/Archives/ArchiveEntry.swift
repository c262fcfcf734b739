/// A file in an archive, or the place where an archive cannot be read any further.
public struct ArchiveEntry: Sendable {
    /// What a file holds.
    public enum Content: Sendable {
        /// The file's bytes, a slice of the archive.
        case stored(ArraySlice<UInt8>)
        /// A compressed file.
        case deflated(DeflatedFile)
    }

    /// Maximum length of a name in bytes, the limit of a path in Linux.
    public static let nameLimit = 4096

    /// The file's name as in the archive; nil if it could not be read.
    public let name: String?
    /// The content, or why there is none.
    public private(set) var content: Result<Content, ArchiveError>
    /// Whether this is the last entry because the rest of the archive cannot be read.
    public let endsArchive: Bool

    /// Creates an entry; a name longer than ``nameLimit`` is cut and is an error.
    init(_ name: String, _ content: Result<Content, ArchiveError>) {
        endsArchive = false
        guard name.utf8.count > Self.nameLimit else {
            (self.name, self.content) = (name, content)
            return
        }
        self.name = Self.shortened(name)
        self.content = .failure(.invalid("the name of the file is longer than \(Self.nameLimit) bytes"))
    }

    /// Creates the entry where an archive cannot be read any further because of `problem`.
    init(endOfArchive name: String?, _ problem: String) {
        self.name = name.map(Self.shortened)
        content = .failure(.invalid("\(problem); the rest of the archive cannot be read"))
        endsArchive = true
    }

    /// Bytes of memory that the content holds, compressed or not.
    public var count: Int {
        switch content {
        case .success(.stored(let bytes)): bytes.count
        case .success(.deflated(let file)): file.packedCount
        case .failure: 0
        }
    }

    /// A copy with bytes of its own, which does not hold the archive in memory.
    public var detached: ArchiveEntry {
        var copy = self
        copy.content = content.map { content in
            switch content {
            case .stored(let bytes): .stored(Array(bytes)[...])
            case .deflated(let file): .deflated(file.detached)
            }
        }
        return copy
    }

    private static func shortened(_ name: String) -> String {
        String(decoding: name.utf8.prefix(nameLimit), as: UTF8.self)
    }
}

/// Why a file in an archive cannot be read.
///
/// The descriptions contain no text from the archive.
public enum ArchiveError: Error, Equatable, CustomStringConvertible {
    /// The file or the archive is damaged, or uses a feature that is not supported.
    case invalid(String)
    /// The file is larger than allowed, or too large for its compressed size.
    case tooLarge(limit: Int)

    /// The error message for the client.
    public var description: String {
        switch self {
        case .invalid(let problem): problem
        case .tooLarge(let limit): "the file has more than \(limit) bytes, the limit for its size in the archive"
        }
    }
}
