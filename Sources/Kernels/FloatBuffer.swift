/// A pointer to floats that a kernel only reads.
public typealias Floats = UnsafePointer<Float>
/// A pointer to floats that a kernel writes.
public typealias MutableFloats = UnsafeMutablePointer<Float>

/// Owns `count` floats, aligned for vector loads and zero at first.
///
/// The one place of the engine that allocates; freed with its owner. Not `Sendable`: a buffer belongs
/// to the one object that runs kernels on it.
public final class FloatBuffer {
    /// The first element; valid as long as the buffer is.
    public let pointer: MutableFloats
    /// The number of floats.
    public let count: Int

    /// Zeros behind the last float: kernels that take several numbers at a time may read (never write) so far
    /// beyond the end.
    private static let slack = 16

    /// Allocates `count` zeros.
    public init(count: Int) {
        precondition(count >= 0, "a buffer of \(count) floats")
        let capacity = count + Self.slack
        let bytes = capacity * MemoryLayout<Float>.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        pointer = raw.bindMemory(to: Float.self, capacity: capacity)
        pointer.initialize(repeating: 0, count: capacity)
        self.count = count
    }

    /// Allocates a copy of `values`.
    public convenience init(_ values: [Float]) {
        self.init(count: values.count)
        for (index, value) in values.enumerated() { pointer[index] = value }
    }

    deinit { UnsafeMutableRawPointer(pointer).deallocate() }

    /// The values, copied out.
    public var array: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
