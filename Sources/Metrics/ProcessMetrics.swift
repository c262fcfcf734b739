import Foundation

extension MetricsRegistry {
    /// Registers metrics of this process from Linux, under the usual Prometheus names; its start time is the time of
    /// this call.
    public func registerProcessMetrics() {
        let started = Date().timeIntervalSince1970
        observed("process_cpu_seconds_total", "User and system CPU time in seconds.", isCounter: true) {
            [[:]: Double(clock()) / Double(CLOCKS_PER_SEC)]
        }
        observed("process_resident_memory_bytes", "Resident memory in bytes.") {
            // Total pages, then resident pages.
            let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
            let resident = pages?.dropFirst().first.flatMap { Int($0) } ?? 0
            return [[:]: Double(resident * Int(sysconf(Int32(_SC_PAGESIZE))))]
        }
        observed("process_open_fds", "Number of open file descriptors.") {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
            return [[:]: Double(names.count)]
        }
        observed("process_start_time_seconds", "Start time in seconds since 1970.") {
            [[:]: started]
        }
    }
}
