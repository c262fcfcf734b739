import ArgumentParser
import Glibc

/// The number and total size of the process's memory allocations, as counted by allocations.c.
struct AllocationCounter {
    private typealias Count = @convention(c) () -> Int
    private let requests: Count
    private let bytes: Count

    /// Finds the counters; allocations.c must be preloaded.
    init() throws {
        guard let requests = dlsym(nil, "dia_allocations"), let bytes = dlsym(nil, "dia_allocated_bytes") else {
            throw ValidationError("--allocations requires a preloaded allocations.c; run allocations.py")
        }
        // The symbols are defined in allocations.c with this type.
        self.requests = unsafeBitCast(requests, to: Count.self)
        self.bytes = unsafeBitCast(bytes, to: Count.self)
    }

    func read() -> (requests: Int, bytes: Int) { (requests(), bytes()) }
}
