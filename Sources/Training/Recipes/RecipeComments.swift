package import Foundation

/// Comments in recipes: `//` to the end of the line, which JSON itself does not have.
package enum RecipeComments {
    /// Returns `data` with spaces instead of comments, so that positions in error messages stay the same.
    package static func removed(from data: Data) -> Data {
        var bytes = Array(data)
        var (isString, isEscaped, isComment) = (false, false, false)
        for index in bytes.indices {
            let byte = bytes[index]
            if isComment {
                if byte == UInt8(ascii: "\n") { isComment = false } else { bytes[index] = UInt8(ascii: " ") }
            } else if isString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isString = true
            } else if byte == UInt8(ascii: "/"), index + 1 < bytes.count, bytes[index + 1] == byte {
                isComment = true
                bytes[index] = UInt8(ascii: " ")
            }
        }
        return Data(bytes)
    }
}
