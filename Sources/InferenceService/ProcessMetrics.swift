import Foundation

/// What Linux says of this process, under Prometheus' usual names.
enum ProcessMetrics {
    private static let started = Date().timeIntervalSince1970

    /// Notes the time of the first call as the process's start.
    static func start() { _ = started }

    static func text() -> String {
        let cpu = Double(clock()) / Double(CLOCKS_PER_SEC)
        // Pages in all, then pages resident.
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
        let resident = (pages?.dropFirst().first.flatMap { Int($0) } ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
        let values: [(String, String, String, String)] = [
            ("process_cpu_seconds_total", "counter", "User and system CPU time.", "\(cpu)"),
            ("process_resident_memory_bytes", "gauge", "Resident memory.", "\(resident)"),
            ("process_open_fds", "gauge", "Open file descriptors.", "\(descriptors)"),
            ("process_start_time_seconds", "gauge", "Start, in seconds since 1970.", "\(started)"),
        ]
        return values.map { "# HELP \($0.0) \($0.2)\n# TYPE \($0.0) \($0.1)\n\($0.0) \($0.3)\n" }.joined()
    }
}
