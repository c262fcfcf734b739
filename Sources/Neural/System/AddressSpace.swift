import Glibc

/// The address space that the process may use (`RLIMIT_AS`, set by `ulimit -v`).
public enum AddressSpace {
    /// A limit that is too small.
    public struct TooSmall: Error, CustomStringConvertible {
        /// The limit, what is needed, and what to do.
        public let description: String
    }

    /// What OpenBLAS maps for each thread that multiplies.
    private static let blasBuffer = 128 << 20
    /// What else starting takes: stacks, the allocator's arenas, models of common sizes.
    private static let reserve = 192 << 20

    /// Throws unless there is room for `threads` threads of the engine.
    ///
    /// OpenBLAS tries again without end when it cannot map its buffers: a clear error at start instead of a process that
    /// hangs. Where there is no limit nothing is looked at.
    public static func requireRoom(threads: Int) throws(TooSmall) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
            return
        }
        let needed = threads * blasBuffer + reserve
        let probe = mmap(nil, needed, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let probe, probe != MAP_FAILED else {
            throw TooSmall(
                description: "the address space is limited to \(limit.rlim_cur >> 10) kB (ulimit -v), and "
                    + "\(needed >> 10) kB more cannot be had for \(threads) threads: raise the limit, or set --threads"
            )
        }
        munmap(probe, needed)
    }
}
