import Codecs

extension PNGError {
    /// The description for the log: without the name of a chunk, which is text from the file, unless it is one that
    /// the decoder reads.
    var reason: String {
        guard case .invalid(let message) = self else { return description }
        // libpng puts the name before the message, "abcd: CRC error"; bytes that are not letters are in brackets.
        let parts = message.split(separator: ": ", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !Self.chunks.contains(parts[0]), !parts[0].contains(" ") else { return description }
        return PNGError.invalid("a chunk: \(parts[1])").description
    }

    private static let chunks: [Substring] = ["IHDR", "PLTE", "IDAT", "IEND", "tRNS"]
}
