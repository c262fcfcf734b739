import Glibc

/// A pointer to floats that a kernel only reads.
public typealias Floats = UnsafePointer<Float>
/// A pointer to floats that a kernel writes.
public typealias MutableFloats = UnsafeMutablePointer<Float>

/// A buffer of `count` floats, aligned for vector loads and initialized to zero.
///
/// All memory of the engine is allocated here; it is freed with its owner. Not `Sendable`: a buffer belongs to the
/// one object that runs kernels on it.
public final class FloatBuffer {
    /// The first element; valid for the lifetime of the buffer.
    public let pointer: MutableFloats
    /// The number of floats.
    public let count: Int

    /// Zeros after the last float: kernels that load several numbers at a time may read (never write) this far past
    /// the end.
    private static let slack = 16

    /// The smallest size in bytes of a buffer that is mapped from the system.
    ///
    /// Mapped pages are zero without being written and are returned to the system with the buffer.
    private static let mapped = 1 << 18

    private let bytes: Int

    /// Allocates `count` zeros.
    public init(count: Int) {
        precondition(count >= 0, "a buffer of \(count) floats")
        let capacity = count + Self.slack
        self.count = count
        bytes = capacity * MemoryLayout<Float>.stride
        if bytes >= Self.mapped,
            let pages = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            pages != MAP_FAILED
        {
            pointer = pages.bindMemory(to: Float.self, capacity: capacity)
            return
        }
        precondition(bytes < Self.mapped, "out of memory: cannot allocate a buffer of \(bytes) bytes")
        pointer = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            .bindMemory(to: Float.self, capacity: capacity)
        pointer.initialize(repeating: 0, count: capacity)
    }

    /// Allocates a copy of `values`.
    public convenience init(_ values: [Float]) {
        self.init(count: values.count)
        for (index, value) in values.enumerated() { pointer[index] = value }
    }

    deinit {
        let raw = UnsafeMutableRawPointer(pointer)
        if bytes >= Self.mapped { munmap(raw, bytes) } else { raw.deallocate() }
    }

    /// A copy of the values.
    public var array: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
