import Client
import Foundation
import TestSupport
import Testing

/// Which files a run takes.
@Suite struct InputTests {
    private let png = PNGBuilder.signature + [1, 2, 3]

    /// Makes files named by bytes, in a folder.
    private func make(_ names: [[UInt8]], in folder: URL, _ bytes: [UInt8]) throws {
        for name in names {
            let path = Array("\(folder.path)/".utf8) + name
            let descriptor = open(path.map { CChar(bitPattern: $0) } + [0], O_CREAT | O_WRONLY, 0o644)
            try #require(descriptor >= 0)
            #expect(write(descriptor, bytes, bytes.count) == bytes.count)
            close(descriptor)
        }
    }

    private func make(_ names: [String], in folder: URL, _ bytes: [UInt8]) throws {
        try make(names.map { Array($0.utf8) }, in: folder, bytes)
    }

    private func names(_ list: InputList, in folder: URL) -> [String] {
        list.paths.map { String($0.text.dropFirst(folder.path.utf8.count + 1)) }
    }

    private func subfolder(_ name: String, of folder: URL) throws -> URL {
        let url = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }

    @Test("A folder is read with its subfolders, sorted; hidden files and other files are skipped")
    func folder() async throws {
        try await withTemporaryFolder { folder in
            try make(["b.png", "a.png", ".hidden.png", "no-extension"], in: folder, png)
            try make(["notes.txt", "scan"], in: folder, Array("text".utf8))
            try make(["broken.PNG"], in: folder, [])
            try make(["dicom"], in: folder, [UInt8](repeating: 0, count: 128) + Array("DICM".utf8))
            try make(["c.png"], in: try subfolder("sub/deep", of: folder), png)
            try make(["d.png"], in: try subfolder(".git", of: folder), png)
            var list = InputList()
            list.add(InputPath(folder.path))
            let expected = ["a.png", "b.png", "broken.PNG", "dicom", "no-extension", "sub/deep/c.png"]
            #expect(names(list, in: folder) == expected)
            #expect(list.skipped == 2 && list.failures.isEmpty)
        }
    }

    @Test("Symbolic links are followed, and a loop ends")
    func loops() async throws {
        try await withTemporaryFolder { folder in
            let (first, second) = (try subfolder("1", of: folder), try subfolder("2", of: folder))
            try make(["a.png"], in: first, png)
            try make(["b.png"], in: second, png)
            let manager = FileManager.default
            func link(_ name: String, _ target: String) throws {
                try manager.createSymbolicLink(atPath: "\(folder.path)/\(name)", withDestinationPath: target)
            }
            try link("1/loop", ".")
            try link("1/up", "..")
            try link("1/other", "../2")
            try link("2/other", "../1")
            try link("2/itself", "itself")
            try link("2/link.png", "../1/a.png")
            try link("2/nothing.png", "missing")
            var list = InputList()
            list.add(InputPath(folder.path))
            #expect(names(list, in: folder) == ["1/a.png", "1/other/b.png", "1/other/link.png", "1/other/nothing.png"])
        }
    }

    @Test("Names can have any bytes")
    func anyBytes() async throws {
        try await withTemporaryFolder { folder in
            let names: [[UInt8]] = [
                Array("a\n.png".utf8), Array("b,\".png".utf8), [0x63, 0xFF, 0x2E, 0x70, 0x6E, 0x67],
                Array("d*?[.png".utf8), Array("é.png".utf8),
            ]
            try make(names, in: folder, png)
            var list = InputList()
            list.add(InputPath(folder.path))
            #expect(list.paths.map(\.bytes) == names.map { Array("\(folder.path)/".utf8) + $0 })
            let reader = InputReader(maximumBytes: 100)
            for path in list.paths { #expect(try reader.images(of: path).first?.content.get() == png) }
            // A file whose name looks like a pattern is that file.
            var single = InputList()
            single.add(InputPath("\(folder.path)/d*?[.png"))
            #expect(single.paths.count == 1 && single.failures.isEmpty)
        }
    }

    @Test("Patterns that the shell left are expanded, and each file is taken once")
    func patterns() async throws {
        try await withTemporaryFolder { folder in
            try make(["b.png", "a.png", "c.txt"], in: folder, png)
            try make(["e.png"], in: try subfolder("sub", of: folder), png)
            var list = InputList()
            list.add(InputPath("\(folder.path)/*.png"))
            list.add(InputPath("\(folder.path)/a.png"))
            list.add(InputPath("\(folder.path)/s*"))
            list.add(InputPath("\(folder.path)/x*.png"))
            list.add(InputPath("\(folder.path)/missing.png"))
            #expect(names(list, in: folder) == ["a.png", "b.png", "sub/e.png", "missing.png"])
            #expect(list.failures.count == 1 && list.failures[0].reason == "no file matches the pattern")
        }
    }

    @Test("Lists of paths are read by lines or by zero bytes")
    func lists() {
        let lines = InputList.paths(in: Array("a.png\r\n\n b\n-x".utf8), separator: 0x0A)
        #expect(lines.map(\.text) == ["a.png", " b", "./-x"])
        #expect(InputList.paths(in: Array("a\n\0b\0".utf8), separator: 0).map(\.text) == ["a\n", "b"])
    }

    @Test("An input that cannot be sent has a message that says why")
    func messages() async throws {
        try await withTemporaryFolder { folder in
            try make(["empty.png"], in: folder, [])
            try make(["text.png"], in: folder, Array("text".utf8))
            try make(["large.png"], in: folder, png + [UInt8](repeating: 0, count: 200))
            try make(["scan.dcm"], in: folder, [UInt8](repeating: 0, count: 128) + Array("DICM".utf8))
            let reader = InputReader(maximumBytes: 200)
            for (name, part) in [
                ("empty.png", "is empty"), ("text.png", "neither PNG nor DICOM"),
                ("large.png", "larger than the 200 bytes"),
                ("scan.dcm", "DICOM"), ("missing.png", "No such file"), (".", "cannot read the file"),
            ] {
                let content = try #require(reader.images(of: InputPath("\(folder.path)/\(name)")).first).content
                guard case .failure(let error) = content else {
                    Issue.record("\(name) is accepted")
                    continue
                }
                #expect(error.description.contains(part), "\(name): \(error)")
            }
        }
    }

    @Test("A renderer of DICOM files gets the path and gives the images")
    func rendering() async throws {
        try await withTemporaryFolder { folder in
            try make(["scan"], in: folder, [UInt8](repeating: 0, count: 128) + Array("DICM".utf8))
            let reader = InputReader(maximumBytes: 200) { path in
                (0..<2).map { InputImage(path: path, frame: $0, content: .success([UInt8($0)])) }
            }
            let images = reader.images(of: InputPath("\(folder.path)/scan"))
            #expect(images.map(\.frame) == [0, 1])
        }
    }
}
