import CMalloc

/// Settings of the C library's memory allocator.
enum MemoryAllocator {
    /// Size in bytes from which a block has a mapping of its own, which goes back to the system when it is freed.
    private static let mappingThreshold: Int32 = 262_144

    /// Makes freed blocks go back to the system; call it before the first thread starts.
    ///
    /// By default, glibc raises the threshold to the largest block that was freed, up to 32 MB. Bodies and images then lie
    /// in the heaps of the threads that allocated them, and a heap keeps all below its last used byte: after large
    /// requests the process had twice the memory (mallopt(3), M_MMAP_THRESHOLD).
    static func returnFreedMemory() { mallopt(M_MMAP_THRESHOLD, mappingThreshold) }
}
