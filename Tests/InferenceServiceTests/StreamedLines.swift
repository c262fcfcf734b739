import HTTP

extension Response {
    /// The lines of the streamed body, with their ends.
    func streamedLines() async throws -> [[UInt8]] {
        var bytes: [UInt8] = []
        while let piece = try await stream?.next() { bytes += piece }
        var lines: [[UInt8]] = []
        while !bytes.isEmpty {
            let end = bytes.firstIndex(of: 0x0A) ?? bytes.count - 1
            lines.append(Array(bytes[...end]))
            bytes.removeFirst(end + 1)
        }
        return lines
    }
}
