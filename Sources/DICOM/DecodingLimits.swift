/// The limits of a process that decodes a file.
public struct DecodingLimits: Codable, Sendable, Hashable {
    /// Bytes of address space (RLIMIT_AS), of which the program itself takes about 120 MB.
    public var memoryBytes: Int
    /// Seconds of processor time (RLIMIT_CPU) for each frame.
    public var processorSeconds: Int
    /// Seconds until the first frame, and from each frame to the next.
    public var seconds: Int

    /// Creates limits; the defaults suffice for a frame of 100 million pixels.
    public init(memoryBytes: Int = 4 << 30, processorSeconds: Int = 60, seconds: Int = 120) {
        (self.memoryBytes, self.processorSeconds, self.seconds) = (memoryBytes, processorSeconds, seconds)
    }
}
