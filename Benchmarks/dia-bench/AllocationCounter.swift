import ArgumentParser
import Glibc

/// What the process has asked the C library for, as allocations.c counts it.
struct AllocationCounter {
    private typealias Count = @convention(c) () -> Int
    private let requests: Count
    private let bytes: Count

    /// Finds the counters, which must have been preloaded.
    init() throws {
        guard let requests = dlsym(nil, "dia_allocations"), let bytes = dlsym(nil, "dia_allocated_bytes") else {
            throw ValidationError("--allocations needs allocations.c preloaded, as allocations.py does")
        }
        // The symbols are those of allocations.c, which have this type.
        self.requests = unsafeBitCast(requests, to: Count.self)
        self.bytes = unsafeBitCast(bytes, to: Count.self)
    }

    func read() -> (requests: Int, bytes: Int) { (requests(), bytes()) }
}
