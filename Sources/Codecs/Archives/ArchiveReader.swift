/// What a reader of an archive finds in the bytes that it has.
public enum ArchiveStep {
    case entry(ArchiveEntry)
    /// There are no more files.
    case end
    /// At least so many more bytes are needed; see ``ArchiveReader/append(_:isLast:)``.
    case needsMore(Int)
}

/// A reader of the files in an archive whose bytes can be added as they arrive.
public protocol ArchiveReader: IteratorProtocol<ArchiveEntry>, Sendable {
    /// Bytes that have arrived and were not read yet.
    var bufferedBytes: Int { get }
    /// Adds the next bytes of the archive.
    mutating func append(_ bytes: [UInt8], isLast: Bool)
    /// Returns the next file, or that the end is reached, or that more bytes are needed to tell.
    ///
    /// While more bytes are needed, nothing is consumed, and the next call starts over. So it should be made only when
    /// as many bytes have arrived as were said to be needed.
    mutating func step() -> ArchiveStep
}

/// What is found at a place of an archive.
enum ArchiveItem {
    case entry(ArchiveEntry)
    /// Something that is not a file, and that was read.
    case other
    case end
}

/// The bytes of an archive that have arrived and were not read yet.
struct ArchiveWindow: Sendable {
    private(set) var bytes: [UInt8]
    var position = 0
    /// Whether the last byte of the archive is in the window.
    var isComplete = true
    /// The number of bytes that can still arrive and without which reading stopped; nil if it did not.
    private(set) var missing: Int?
    /// Bytes before the window.
    private var discarded = 0
    /// Bytes that follow the window and are not read.
    private var skipped = 0

    /// Bytes of headers that may precede a file, beyond its own limit.
    private static let headerAllowance = 1 << 20

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Bytes that have arrived and were not read yet.
    var unreadBytes: Int { bytes.count - position }
    /// Whether nothing of the archive has been read.
    var isAtStart: Bool { discarded == 0 && position == 0 }

    /// Adds bytes, and discards those that were read.
    mutating func append(_ more: [UInt8], isLast: Bool) {
        bytes.removeFirst(position)
        discarded += position
        position = 0
        let unread = min(skipped, more.count)
        skipped -= unread
        discarded += unread
        bytes += more[unread...]
        isComplete = isLast
    }

    /// Moves the position forward by `count` bytes, which may not have arrived.
    mutating func skip(_ count: Int) {
        let present = min(count, bytes.count - position)
        position += present
        // A hostile size may be close to the largest integer.
        skipped = skipped.addingReportingOverflow(count - present).overflow ? .max : skipped + count - present
    }

    /// Notes that at least `count` bytes are missing to read what starts at `start`; nil if the archive is complete
    /// without them, or more of it can arrive.
    ///
    /// Otherwise, what is to be read has more than `limit` bytes: the text says so.
    mutating func wantsMore(_ count: Int, from start: Int, limit: Int) -> String? {
        guard !isComplete else { return nil }
        guard bytes.count - start <= limit + Self.headerAllowance else {
            return "the file, or its header, has more than \(limit) bytes"
        }
        missing = max(count, 1)
        return nil
    }

    /// Returns to `position`, to try again when more bytes have arrived.
    mutating func rewind(to position: Int) {
        self.position = position
        missing = nil
    }
}
