import Codecs

/// The images of a batch in an archive.
enum BatchArchive {
    /// Returns the files of `archive` that are meant to be images: at least one, at most `limit`.
    ///
    /// Hidden files and those that macOS adds to archives are left out. Where an archive becomes unreadable, a last entry
    /// has the error; if nothing at all can be read, the function throws it.
    static func images(
        in archive: some Sequence<ArchiveEntry>,
        limit: Int,
        isCancelled: () -> Bool
    ) throws(ServiceError) -> [ArchiveEntry] {
        var files: [ArchiveEntry] = []
        for file in archive {
            guard !isCancelled() else { throw ServiceError(503, "the request was cancelled") }
            guard file.endsArchive || !isHidden(file.name ?? "") else { continue }
            if file.name == nil, files.isEmpty, case .failure(let error) = file.content { throw ServiceError(error) }
            guard files.count < limit else { throw ServiceError(413, "more than \(limit) files in the archive") }
            files.append(file)
        }
        guard !files.isEmpty else { throw ServiceError(400, "the archive does not contain a file") }
        return files
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
