import Glibc

/// The processors that this process may use.
public enum ProcessorCount {
    /// The number of processors, limited by the affinity mask (sched_setaffinity(2)) and by the CPU quota of the control
    /// group and its parents; at least 1.
    ///
    /// More threads than the quota allows would be stopped together for the rest of each period, and every request would
    /// wait for them.
    public static let available: Int = {
        let online = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        return max(1, min(online, affinityCount ?? .max, quota(root: "") ?? .max))
    }()

    /// Returns the smallest quota of the control group of this process and its parents, in whole processors.
    ///
    /// Returns nil if there is none. The files are looked up below `root`.
    package static func quota(root: String) -> Int? {
        guard let groups = text("\(root)/proc/self/cgroup") else { return nil }
        var smallest: Int?
        for line in groups.split(separator: "\n") {
            // "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isCurrent = fields[0] == "0" && fields[1].isEmpty
            guard isCurrent || fields[1].split(separator: ",").contains("cpu") else { continue }
            let base = isCurrent ? "\(root)/sys/fs/cgroup" : "\(root)/sys/fs/cgroup/cpu"
            var path = fields[2].split(separator: "/")
            while true {
                let folder = ([base[...]] + path).joined(separator: "/")
                if let found = isCurrent ? processors(maximum: text("\(folder)/cpu.max")) : processors(version1: folder)
                {
                    smallest = min(smallest ?? .max, found)
                }
                // In a container the path can be that of the host; the root of the mount is the container's own group.
                guard path.popLast() != nil else { break }
            }
        }
        return smallest
    }

    /// Parses "QUOTA PERIOD" (microseconds), where QUOTA is "max" if there is no limit.
    private static func processors(maximum text: String?) -> Int? {
        let numbers = (text ?? "").split { $0 == " " || $0 == "\n" }
        guard numbers.count == 2, let quota = Double(numbers[0]), let period = Double(numbers[1]) else { return nil }
        return processors(quota, period)
    }

    private static func processors(version1 folder: String) -> Int? {
        func number(_ name: String) -> Double? {
            text("\(folder)/\(name)").flatMap { Double($0.split(separator: "\n").first ?? "") }
        }
        guard let quota = number("cpu.cfs_quota_us"), let period = number("cpu.cfs_period_us") else { return nil }
        return processors(quota, period)
    }

    private static func processors(_ quota: Double, _ period: Double) -> Int? {
        guard quota > 0, period > 0, quota / period < 1e6 else { return nil }
        return max(1, Int((quota / period).rounded(.up)))
    }

    /// The number of processors in the affinity mask, which /proc has in hexadecimal: "Cpus_allowed:   00000003".
    private static var affinityCount: Int? {
        let lines = text("/proc/self/status")?.split(separator: "\n")
        guard let line = lines?.first(where: { $0.hasPrefix("Cpus_allowed:") }) else { return nil }
        return line.drop { $0 != ":" }.compactMap(\.hexDigitValue).reduce(0) { $0 + $1.nonzeroBitCount }
    }

    /// The contents of a short file; nil if it cannot be read.
    static func text(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
