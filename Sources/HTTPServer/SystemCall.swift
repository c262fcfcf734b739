import Glibc

/// A failed system call, with its name and `errno`.
public struct SystemCallError: Error, Equatable, CustomStringConvertible {
    /// Name of the call.
    public let name: String
    /// Value of `errno`.
    public let number: Int32

    /// "bind: Address already in use".
    public var description: String {
        // The text is copied before another call can change it.
        unsafe "\(name): \(String(cString: strerror(number)))"
    }
}

/// Runs a call that returns -1 on failure; repeats it if a signal interrupted it.
func systemCall<T: BinaryInteger>(_ name: String, _ call: () -> T) throws(SystemCallError) -> T {
    while true {
        let result = call()
        if result != -1 { return result }
        let number = errno
        if number != EINTR { throw SystemCallError(name: name, number: number) }
    }
}
