import Glibc
public import Logging

/// swift-log handler that writes to a ``LogWriter``.
public struct LineLogHandler: LogHandler {
    private let format: LogFormat
    private let writer: LogWriter
    /// Metadata of every entry of the logger.
    public var metadata: Logger.Metadata = [:]
    /// Provider of additional metadata.
    public var metadataProvider: Logger.MetadataProvider?
    /// Minimum log level.
    public var logLevel: Logger.Level

    /// Creates a handler that writes lines in `format`.
    public init(format: LogFormat, level: Logger.Level, writer: LogWriter) {
        self.format = format
        self.writer = writer
        logLevel = level
    }

    /// One value of ``metadata``.
    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one entry.
    public func log(event: LogEvent) {
        var members = metadata
        if let more = metadataProvider?.get() { members.merge(more) { $1 } }
        if let more = event.metadata { members.merge(more) { $1 } }
        writer.write(format.line(event.level, "\(event.message)", members, time: Self.now))
    }

    /// Seconds since 1970.
    private static var now: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
