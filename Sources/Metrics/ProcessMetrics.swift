import Foundation

extension MetricsRegistry {
    /// Registers what Linux says of this process, under Prometheus' usual names; its start is the time of this call.
    public func registerProcessMetrics() {
        let started = Date().timeIntervalSince1970
        observed("process_cpu_seconds_total", "User and system CPU time.", isCounter: true) {
            [[:]: Double(clock()) / Double(CLOCKS_PER_SEC)]
        }
        observed("process_resident_memory_bytes", "Resident memory.") {
            // Pages in all, then pages resident.
            let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
            let resident = pages?.dropFirst().first.flatMap { Int($0) } ?? 0
            return [[:]: Double(resident * Int(sysconf(Int32(_SC_PAGESIZE))))]
        }
        observed("process_open_fds", "Open file descriptors.") {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
            return [[:]: Double(names.count)]
        }
        observed("process_start_time_seconds", "Start, in seconds since 1970.") {
            [[:]: started]
        }
    }
}
