import Logging
import Synchronization

/// A log handler that keeps the lines in memory.
struct MemoryLog: LogHandler {
    final class Lines: Sendable {
        private let kept = Mutex<[String]>([])
        func withLock<Result>(_ body: (inout [String]) -> Result) -> Result { kept.withLock { body(&$0) } }
    }

    let lines = Lines()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.metadata ?? [:])") } }
}
