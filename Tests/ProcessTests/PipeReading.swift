import Foundation

/// Reads from pipes without Foundation's `FileHandle`, which crashes when a signal interrupts a read.
extension Pipe {
    /// Waits for the next bytes and returns them as text; empty at the end.
    func nextText() -> String {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(fileHandleForReading.fileDescriptor, &bytes, bytes.count)
            if count >= 0 { return String(decoding: bytes[..<count], as: UTF8.self) }
            guard errno == EINTR else { return "" }
        }
    }

    /// Everything until the end of the stream, as text.
    func allText() -> String {
        var text = ""
        while true {
            let next = nextText()
            if next.isEmpty { return text }
            text += next
        }
    }
}
