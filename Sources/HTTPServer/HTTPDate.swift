import Glibc

/// HTTP dates in the IMF-fixdate format (RFC 9110, section 5.6.7); formatted once per second.
struct HTTPDate {
    private var second: time_t = -1
    private var text = ""

    /// Returns the current date.
    mutating func now() -> String {
        var now = time(nil)
        guard now != second else { return text }
        second = now
        var parts = unsafe tm()
        unsafe gmtime_r(&now, &parts)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = unsafe "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)])"
        text =
            unsafe "\(day) \(parts.tm_year + 1900) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
        return text
    }
}
