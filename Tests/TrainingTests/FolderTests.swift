import Codecs
import Foundation
import Imaging
import TestSupport
import Testing
import Training

/// Folders of images as people have them.
@Suite struct FolderTests {
    private static let gray = PNG.encode(Image(height: 9, width: 9, channels: 1, filledWith: 0.5))

    private func write(_ names: [String], in folder: URL, _ bytes: [UInt8] = gray) throws {
        for name in names {
            let place = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(bytes).write(to: place)
        }
    }

    private func names(_ source: DataSource, _ split: DataSet.Split) -> [String] {
        (source.splits[split] ?? []).map(\.name)
    }

    @Test("Nested folders belong to the label at the top, in the order of their bytes")
    func nested() async throws {
        try await withTemporaryFolder { folder in
            let files = [
                "train/good/z.png", "train/good/a/b/c.png", "train/good/Z.png", "train/good/ä.png", "test/bad/x/y.png",
            ]
            try write(files, in: folder)
            let source = try DataSource(path: folder.path)
            #expect(
                names(source, .train)
                    == ["train/good/Z.png", "train/good/a/b/c.png", "train/good/z.png", "train/good/ä.png"]
            )
            #expect(source.splits[.test]?.map(\.label) == ["bad"])
            #expect(source.text.contains("train: 4 images (good 4)"))
        }
    }

    @Test("Hidden files, files of operating systems and other files are left out, counted and named")
    func leftOut() async throws {
        try await withTemporaryFolder { folder in
            try write(["train/good/a.png"], in: folder)
            let others = [
                "train/.ipynb_checkpoints/a.png", "train/good/.ipynb_checkpoints/a.png", "train/good/._a.png",
                "train/good/.DS_Store", "train/good/Thumbs.db", "__MACOSX/train/good/a.png", "train/good/labels.csv",
                "train/stray.png", "readme.txt", "ground_truth/scratch/000_mask.png",
            ]
            try write(others, in: folder)
            let source = try DataSource(path: folder.path)
            #expect(names(source, .train) == ["train/good/a.png"])
            #expect(source.leftOut.paths[.hidden]?.count == 4)
            #expect(source.leftOut.paths[.system]?.count == 2)
            #expect(source.leftOut.paths[.otherFile] == ["train/good/labels.csv"])
            #expect(source.leftOut.paths[.outside]?.sorted() == ["readme.txt", "train/stray.png"])
            #expect(source.leftOut.paths[.notASplit] == ["ground_truth"])
            for name in ["train/.ipynb_checkpoints", "Thumbs.db", "labels.csv", "ground_truth"] {
                #expect(source.text.contains(name), "\(name)")
            }
            #expect(source.text.contains("left out, hidden files and folders: 4 (train/.ipynb_checkpoints, "))
        }
    }

    @Test("val, valid and validation are one split, in any case", arguments: ["val", "valid", "validation", "Val"])
    func validationNames(_ name: String) async throws {
        try await withTemporaryFolder { folder in
            try write(["train/good/a.png", "\(name)/good/b.png"], in: folder)
            #expect(names(try DataSource(path: folder.path), .validation) == ["\(name)/good/b.png"])
        }
    }

    @Test("Two folders of the same split are an error that names both")
    func twoValidations() async throws {
        try await withTemporaryFolder { folder in
            try write(["train/good/a.png", "val/good/b.png", "valid/good/b.png"], in: folder)
            do {
                _ = try DataSource(path: folder.path)
                Issue.record("two validation splits were accepted")
            } catch {
                #expect("\(error)".contains("val and valid"))
            }
        }
    }

    @Test("Links are followed, and links that lead back are left out and do not hang", .timeLimit(.minutes(1)))
    func links() async throws {
        try await withTemporaryFolder { folder in
            try write(["train/good/a/1.png", "elsewhere/2.png"], in: folder)
            func link(_ name: String, to target: String) throws {
                try FileManager.default.createSymbolicLink(
                    atPath: folder.appendingPathComponent(name).path,
                    withDestinationPath: folder.appendingPathComponent(target).path
                )
            }
            try link("train/good/a/up", to: "train/good")
            try link("train/good/root", to: "")
            try link("train/good/other", to: "elsewhere")
            try link("train/good/self", to: "train/good/self")
            try link("train/good/0.png", to: "elsewhere/2.png")
            let source = try DataSource(path: folder.path)
            #expect(names(source, .train) == ["train/good/0.png", "train/good/a/1.png", "train/good/other/2.png"])
            #expect(source.leftOut.paths[.visited]?.sorted() == ["train/good/a/up", "train/good/root"])
        }
    }

    @Test("A pipe with the name of an image is left out and does not hang", .timeLimit(.minutes(1)))
    func pipes() async throws {
        try await withTemporaryFolder { folder in
            try write(["train/good/a.png"], in: folder)
            #expect(mkfifo(folder.appendingPathComponent("train/good/b.png").path, 0o600) == 0)
            let source = try DataSource(path: folder.path)
            #expect(source.leftOut.paths[.special] == ["train/good/b.png"])
            #expect(try DataSet.load(source, size: nil).data.splits[.train]?.count == 1)
        }
    }

    @Test("A link without its target is an unreadable image")
    func danglingLink() async throws {
        try await withTemporaryFolder { folder in
            try write(["train/good/a.png"], in: folder)
            let place = folder.appendingPathComponent("train/good/b.png").path
            try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: "/nowhere/x.png")
            do {
                _ = try DataSet.load(path: folder.path)
                Issue.record("a missing file was read")
            } catch {
                #expect("\(error)".contains("b.png: does not exist"), "\(error)")
            }
        }
    }

    @Test("PNG and JPEG are recognized by their contents, whatever their extension")
    func signatures() async throws {
        try await withTemporaryFolder { folder in
            let images = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../JPEGTests/Images")
            let jpeg = try Array(Data(contentsOf: images.appendingPathComponent("color.jpg")))
            try write(["train/good/a.PNG", "train/good/b.jpeg"], in: folder)
            try write(["train/good/c.JPG", "train/good/d.png"], in: folder, jpeg)
            let train = try #require(try DataSet.load(path: folder.path).data.splits[.train])
            #expect(train.map(\.image.width) == [9, 9, 37, 37])
            #expect(train.map(\.image.channels) == [1, 1, 3, 3])
            try write(["train/good/e.png"], in: folder, Array("GIF89a".utf8))
            do {
                _ = try DataSet.load(path: folder.path)
                Issue.record("a GIF was read")
            } catch {
                #expect("\(error)".contains("e.png") && "\(error)".contains("but a GIF file"), "\(error)")
            }
        }
    }

    @Test(
        "Reading to a size gives the same samples as resizing the decoded image",
        arguments: [ImageSize(channels: 1, height: 8, width: 8), ImageSize(channels: 3, height: 13, width: 10)]
    )
    func resizing(_ size: ImageSize) async throws {
        try await withTemporaryFolder { folder in
            var generator = SystemRandomNumberGenerator()
            for (name, height, width, channels) in [
                ("a", 9, 33, 1), ("b", 40, 20, 3), ("c", 8, 8, 1), ("d", 13, 10, 3),
            ] {
                let samples = (0..<height * width * channels).map { _ in Float.random(in: 0...1, using: &generator) }
                let image = Image(height: height, width: width, channels: channels, samples: samples)
                try write(["train/good/\(name).png"], in: folder, PNG.encode(image))
            }
            let source = try DataSource(path: folder.path)
            let sized = try #require(try DataSet.load(source, size: size, threads: 2).data.splits[.train])
            let whole = try DataSet.load(source, size: nil).data
            let prepared = whole.prepared(.train, channels: size.channels, height: size.height, width: size.width)
            #expect(sized.map(\.image) == prepared.map(\.image))
        }
    }

    @Test("Listing and reading stop when they are interrupted")
    func interrupted() async throws {
        try await withTemporaryFolder { folder in
            try write(["train/good/a.png"], in: folder)
            #expect(throws: Interrupted(.reading)) { try DataSource(path: folder.path, isInterrupted: { true }) }
            let source = try DataSource(path: folder.path)
            #expect(throws: Interrupted(.reading)) { try DataSet.load(source, size: nil, isInterrupted: { true }) }
        }
    }

    @Test("Errors of the file system are in plain words")
    func plainWords() throws {
        do {
            _ = try Data(contentsOf: URL(fileURLWithPath: "/nowhere/x"))
            Issue.record("a missing file was read")
        } catch {
            let failure = try #require(FileFailure(error))
            #expect(failure.description == "/nowhere/x: no such file or directory")
        }
    }
}
