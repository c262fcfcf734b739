import CDCMTK
import Glibc

/// The open descriptor of a file to decode.
struct InputDescriptor: ~Copyable {
    let rawValue: Int32

    /// Opens a regular file.
    init(path: String) throws(DICOMError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(SystemCallText.current("open")) }
        var status = stat()
        // Reading from a pipe or a device may block forever.
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadable("it is not a regular file")
        }
        rawValue = descriptor
    }

    /// Puts bytes into a file in memory (`memfd_create`).
    init(bytes: [UInt8]) throws(DICOMError) {
        let descriptor = dia_memory_file()
        guard descriptor >= 0 else { throw .processFailed(.systemCall(SystemCallText.current("memfd_create"))) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                let text = SystemCallText.current("write")
                close(descriptor)
                throw .processFailed(.systemCall(text))
            }
        }
        rawValue = descriptor
    }

    deinit { close(rawValue) }
}

/// The text of the last failed system call.
enum SystemCallText {
    /// "open: Permission denied".
    static func current(_ name: String) -> String { text(name, errno) }

    /// The text for an error number.
    static func text(_ name: String, _ number: Int32) -> String {
        unsafe "\(name): \(String(cString: strerror(number)))"
    }
}
