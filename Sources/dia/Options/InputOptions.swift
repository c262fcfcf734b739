import ArgumentParser
import Client
import Foundation

/// The options that say which images are taken.
struct InputOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Images, folders, or patterns; - for one image from standard input.",
            discussion: """
                Folders are read with their subfolders, sorted by name. Hidden files are skipped, and so are files \
                that are neither PNG nor DICOM by their name or contents. Each file is taken once.
                """,
            valueName: "path"
        ),
        completion: .file()
    )
    var paths: [String] = []

    @Option(
        help: ArgumentHelp("Also take the paths in a file, one a line; - for standard input.", valueName: "file"),
        completion: .file()
    )
    var fromFile: String?

    @Flag(name: [.customShort("0"), .long], help: "Paths in --from-file are ended by a zero byte (find -print0).")
    var null = false

    /// The largest list of paths in bytes.
    private static let longestList = 1 << 30

    func validate() throws {
        guard !paths.isEmpty || fromFile != nil else { throw ValidationError("name an image, a folder or --from-file") }
        guard !null || fromFile != nil else { throw ValidationError("--null has no use without --from-file") }
        guard fromFile != "-" || !paths.contains("-") else {
            throw ValidationError("standard input can be an image or a list of paths, not both")
        }
    }

    /// Returns the list of all inputs.
    func list() throws -> InputList {
        var list = InputList()
        for path in Self.original(paths) { list.add(path) }
        if let fromFile {
            do {
                let bytes = try FileSystem.read(InputPath(fromFile), limit: Self.longestList)
                let lines = InputList.paths(in: bytes, separator: null ? 0 : 0x0A)
                for path in lines { list.add(path) }
            } catch {
                throw ValidationError("--from-file \(fromFile): \(error)")
            }
        }
        return list
    }

    /// Returns the arguments as they were given to the process.
    ///
    /// The parser's strings have a replacement character for each byte that is not UTF-8.
    private static func original(_ paths: [String]) -> [InputPath] {
        let damaged = FileSystem.arguments().filter { String(validating: $0, as: UTF8.self) == nil }
        var byText = Dictionary(grouping: damaged) { String(decoding: $0, as: UTF8.self) }
        return paths.map { path in
            guard var originals = byText[path], !originals.isEmpty else { return InputPath(path) }
            defer { byText[path] = originals }
            return InputPath(originals.removeFirst())
        }
    }
}
