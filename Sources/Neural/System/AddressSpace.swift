import Glibc

/// The limit of the address space of the process (`RLIMIT_AS`, set with `ulimit -v`).
public enum AddressSpace {
    /// The error for a limit that is too low.
    public struct TooSmall: Error, CustomStringConvertible {
        /// The limit, the required size, and how to fix it.
        public let description: String
    }

    /// The size in bytes that OpenBLAS maps for each thread that calls it.
    private static let blasBuffer = 128 << 20
    /// The size in bytes for everything else at startup: stacks, allocator arenas, models of typical size.
    private static let reserve = 192 << 20

    /// Throws if the limit leaves too little address space for `threads` threads of the engine.
    ///
    /// OpenBLAS retries forever if it cannot map its buffers, so the process would hang without this check. If there is
    /// no limit, nothing is checked.
    public static func requireRoom(threads: Int) throws(TooSmall) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
            return
        }
        let needed = threads * blasBuffer + reserve
        let probe = mmap(nil, needed, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let probe, probe != MAP_FAILED else {
            throw TooSmall(
                description: "the address space is limited to \(limit.rlim_cur >> 10) kB (ulimit -v); "
                    + "\(threads) threads need another \(needed >> 10) kB: raise the limit or lower --threads"
            )
        }
        munmap(probe, needed)
    }
}
