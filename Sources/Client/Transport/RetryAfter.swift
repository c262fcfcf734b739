/// The field Retry-After (RFC 9110, section 10.2.3).
package enum RetryAfter {
    /// Returns the seconds from `now`, in seconds since 1970; nil if `value` is neither seconds nor a date.
    ///
    /// A date in the past is 0 seconds.
    package static func seconds(_ value: String, now: Double) -> Double? {
        let digits = value.utf8
        if !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) {
            // More digits than any sensible delay: the caller has a limit of its own.
            return digits.count <= 9 ? Double(value) : 1e9
        }
        return date(value).map { max(0, Double($0) - now) }
    }

    /// Returns the seconds since 1970 of an HTTP date: IMF-fixdate, or one of the obsolete forms (section 5.6.7).
    static func date(_ value: String) -> Int? {
        let words = value.split(whereSeparator: { $0 == " " || $0 == "-" || $0 == "," })
        switch words.count {
        // Sun Nov  6 08:49:37 1994
        case 5:
            return seconds(day: words[2], month: words[1], year: words[4], time: words[3])
        // Sun, 06 Nov 1994 08:49:37 GMT, or Sunday, 06-Nov-94 08:49:37 GMT
        case 6 where words[5] == "GMT":
            return seconds(day: words[1], month: words[2], year: words[3], time: words[4])
        default: return nil
        }
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func seconds(day: Substring, month: Substring, year: Substring, time: Substring) -> Int? {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { number($0, digits: 2...2) }
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
            hour < 24, minute < 60, second <= 60,
            let day = number(day, digits: 1...2), (1...31).contains(day),
            let month = months.firstIndex(of: String(month)),
            let written = number(year, digits: 2...4), year.utf8.count != 3
        else { return nil }
        // Years of two digits mean the nearest century; these dates are about now.
        let full = year.utf8.count == 2 ? written + (written < 70 ? 2000 : 1900) : written
        return days(full, month + 1, day) * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Substring, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }

    /// Returns the days from 1970-01-01 to a date of the Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        // Years begin in March, so that the leap day is the last of a year.
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
