import Foundation

/// Reading from pipes without Foundation's `FileHandle`, which ends the process when a signal interrupts it.
extension Pipe {
    /// The next bytes as text, as soon as there are any; empty at the end.
    func nextText() -> String {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(fileHandleForReading.fileDescriptor, &bytes, bytes.count)
            if count >= 0 { return String(decoding: bytes[..<count], as: UTF8.self) }
            guard errno == EINTR else { return "" }
        }
    }

    /// Everything up to the end as text.
    func allText() -> String {
        var text = ""
        while true {
            let next = nextText()
            if next.isEmpty { return text }
            text += next
        }
    }
}
