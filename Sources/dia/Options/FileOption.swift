import ArgumentParser
import Foundation

/// Options that name files.
enum FileOption {
    /// Throws an error that names the option unless the file, if there is one, can be read.
    static func requireReadable(_ path: String?, option: String) throws {
        guard let path, FileManager.default.contents(atPath: path) == nil else { return }
        throw ValidationError("--\(option) \(path): cannot read the file")
    }
}
