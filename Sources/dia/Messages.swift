import Console

/// Messages to the user on standard error.
enum Messages {
    static let notice = "Research use only, not for diagnosis."

    /// Writes a line; a message that cannot be written is lost.
    static func show(_ text: String) { try? StandardStream.error.write("\(text)\n") }

    static func warn(_ text: String) { show("Warning: \(text)") }

    static func error(_ text: String) { show("Error: \(text)") }
}
