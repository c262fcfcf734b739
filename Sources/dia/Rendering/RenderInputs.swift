import ArgumentParser
import Foundation

/// The files that `dia render` is asked to render.
enum RenderInputs {
    /// The files among `paths`, and all files in the folders among them, in order; hidden files in folders are left out.
    static func files(_ paths: [String]) throws -> [String] {
        try paths.flatMap { path -> [String] in
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw ValidationError("\(path) does not exist")
            }
            return isFolder.boolValue ? files(in: path) : [path]
        }
    }

    private static func files(in folder: String) -> [String] {
        guard let names = FileManager.default.enumerator(atPath: folder) else { return [] }
        var found: [String] = []
        while let name = names.nextObject() as? String {
            if (name as NSString).lastPathComponent.hasPrefix(".") {
                names.skipDescendants()
            } else if names.fileAttributes?[.type] as? FileAttributeType == .typeRegular {
                found.append((folder as NSString).appendingPathComponent(name))
            }
        }
        return found.sorted()
    }
}
