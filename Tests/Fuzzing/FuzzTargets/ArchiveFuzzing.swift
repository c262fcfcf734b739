import Codecs
import Imaging
import Training

extension FuzzTarget {
    /// NumPy archives and MedMNIST data sets: unpacked contents can be packed and unpacked again, and samples lie
    /// in [0, 1].
    static func runArchive(_ bytes: [UInt8]) {
        guard let archive = try? ZipArchive(bytes, file: "f", verifiesChecksums: false) else { return }
        var contents: [(name: String, bytes: [UInt8])] = []
        for name in archive.names {
            guard let content = try? archive.contents(of: name) else { continue }
            contents.append((name, content))
            guard let array = try? NumPyArray(parsing: content, name: name) else { continue }
            require(array.shape.reduce(1, *) == array.count, "an array has as many values as its shape requires")
        }
        // Invalid UTF-8 makes a name longer, perhaps longer than an archive can hold.
        contents.removeAll { $0.name.utf8.count > 0xFFFF }
        let again = must("a packed archive can be unpacked") { try ZipArchive(packed(contents), file: "f") }
        require(again.names == contents.map(\.name), "names survive packing and unpacking")
        for (name, content) in contents {
            require(must("contents can be read") { try again.contents(of: name) } == content, "contents are the same")
        }
        guard let data = try? MedMNIST(bytes, path: "f", verifiesChecksums: false) else { return }
        try? data.forEachImage(of: [.train, .validation, .test], maximumPixels: 1 << 14) { image, _, _, _ in
            require(image.samples.allSatisfy { $0 >= 0 && $0 <= 1 }, "samples lie in [0, 1]")
        }
    }

    /// A zip archive that stores `contents` uncompressed, in order.
    private static func packed(_ contents: [(name: String, bytes: [UInt8])]) -> [UInt8] {
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let zeros = [UInt8](repeating: 0, count: 12)
        var (files, directory): ([UInt8], [UInt8]) = ([], [])
        for (name, bytes) in contents {
            let checksum = number(Int(CRC32.checksum(bytes[...])), 4)
            let sizes = number(bytes.count, 4) + number(bytes.count, 4) + number(name.utf8.count, 2)
            directory += "PK\u{1}\u{2}".utf8 + zeros + checksum + sizes + zeros + number(files.count, 4) + name.utf8
            files += "PK\u{3}\u{4}".utf8 + zeros[..<10] + checksum + sizes + zeros[..<2] + name.utf8 + bytes
        }
        let end = number(directory.count, 4) + number(files.count, 4) + zeros[..<2]
        return files + directory + "PK\u{5}\u{6}".utf8 + zeros[..<4] + number(contents.count, 2)
            + number(contents.count, 2) + end
    }
}
