/// Patterns with `*` for any text and `?` for a character; upper and lower case are the same.
enum Pattern {
    /// Whether all of `text` matches `pattern`; the time is at most the product of their lengths.
    static func matches(_ text: String, _ pattern: String) -> Bool {
        let (text, pattern) = (Array(text.lowercased()), Array(pattern.lowercased()))
        var (place, at) = (0, 0)
        // Where the last star was, and up to where it took the text.
        var star: (pattern: Int, text: Int)?
        while place < text.count {
            if at < pattern.count, pattern[at] == "*" {
                star = (at, place)
                at += 1
            } else if at < pattern.count, pattern[at] == "?" || pattern[at] == text[place] {
                (place, at) = (place + 1, at + 1)
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                (place, at) = (last.text + 1, last.pattern + 1)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == "*" }
    }
}
