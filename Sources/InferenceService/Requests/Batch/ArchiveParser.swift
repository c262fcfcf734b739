import Codecs

/// The images of a batch in an archive.
///
/// Hidden files and those that macOS adds to archives are left out. Where an archive becomes unreadable, a last entry has
/// the error; if nothing at all can be read, it is thrown.
struct ArchiveParser<Reader: ArchiveReader>: BatchParser {
    private var reader: Reader
    private var hasFiles = false
    /// Bytes that must arrive before the next attempt to find a file.
    private var missing = 0
    private var isComplete = false

    init(_ reader: Reader) { self.reader = reader }

    var missingLabel: BatchInput.Label { .filename(nil) }
    var bufferedBytes: Int { reader.bufferedBytes }

    mutating func append(_ bytes: [UInt8], isLast: Bool) {
        reader.append(bytes, isLast: isLast)
        missing -= bytes.count
        isComplete = isLast
    }

    mutating func step() throws(ServiceError) -> BatchStep {
        guard isComplete || missing <= 0 else { return .needsMore }
        while true {
            switch reader.step() {
            case .needsMore(let count):
                missing = count
                return .needsMore
            case .end:
                guard hasFiles else { throw ServiceError(400, "the archive does not contain a file") }
                return .end
            case .entry(let file):
                guard file.endsArchive || !Self.isHidden(file.name ?? "") else { continue }
                if file.name == nil, !hasFiles, case .failure(let error) = file.content { throw ServiceError(error) }
                hasFiles = true
                return .entry(.file(file.detached))
            }
        }
    }

    /// Whether a file, or a folder that it is in, is hidden: its name starts with a point, or is that of the folder in
    /// which macOS stores attributes.
    private static func isHidden(_ name: String) -> Bool {
        name.utf8.split(separator: UInt8(ascii: "/")).contains { part in
            (part.first == UInt8(ascii: ".") && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8))
                || part.elementsEqual("__MACOSX".utf8)
        }
    }
}

extension EncodedImage {
    init(_ content: ArchiveEntry.Content) {
        switch content {
        case .stored(let bytes): self = .png(bytes)
        case .deflated(let file): self = .deflated(file)
        }
    }
}

extension ServiceError {
    /// Converts an error of a file in an archive.
    init(_ error: ArchiveError) {
        switch error {
        case .invalid: self.init(400, error.description)
        case .tooLarge: self.init(413, error.description)
        }
    }
}
