import Codecs
import Foundation
import Imaging
import TestSupport
import Testing
import Training

/// Patients with several images.
@Suite struct GroupTests {
    private static let gray = PNG.encode(Image(height: 9, width: 9, channels: 1, filledWith: 0.5))

    @Test(
        "The group is the first group in parentheses, or else the whole match",
        arguments: [
            (#"person(\d+)_"#, "train/a/person12_3.jpeg", "12"), (#"person\d+"#, "train/a/person12_3.jpeg", "person12"),
            (#"(x)?person\d+"#, "train/a/person12_3.jpeg", nil), (#"patient"#, "train/a/person12_3.jpeg", nil),
        ]
    )
    func patterns(_ pattern: String, path: String, group: String?) throws {
        #expect(try GroupPattern(pattern).group(of: path) == group)
    }

    @Test("An invalid expression is an error that names it")
    func invalid() {
        do {
            _ = try GroupPattern("(")
            Issue.record("an invalid expression was accepted")
        } catch {
            #expect("\(error)".contains("--groups ("))
        }
    }

    @Test("A file that does not match is an error that names it, and groups in several splits are reported")
    func files() async throws {
        try await withTemporaryFolder { folder in
            for name in ["train/n/p1_a.png", "train/n/p2_a.png", "test/n/p1_b.png"] {
                let place = folder.appendingPathComponent(name)
                try FileManager.default.createDirectory(
                    at: place.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data(Self.gray).write(to: place)
            }
            let source = try DataSource(path: folder.path, groups: GroupPattern(#"p\d+"#))
            #expect(source.groupsInSeveralSplits == ["p1"])
            #expect(source.text.contains("groups in more than one split: 1 (p1)"))
            let loaded = try DataSet.load(source, size: nil).data
            #expect(loaded.splits[.train]?.map(\.group) == ["p1", "p2"])
            do {
                _ = try DataSource(path: folder.path, groups: GroupPattern(#"p2"#))
                Issue.record("a file without a group was accepted")
            } catch {
                #expect("\(error)".contains("does not match") && "\(error)".contains("p1_"), "\(error)")
            }
        }
    }

    @Test("No group is divided between training and calibration", arguments: 0..<5)
    func split(_ seed: UInt64) throws {
        let images = (0..<60).map { Image(height: 8, width: 8, channels: 1, filledWith: Float($0) / 60) }
        let groups = (0..<60).map { "p\($0 % 13)" }
        let split = try TrainingSplit(images, groups: groups, calibrationShare: 0.2, seed: seed)
        func found(_ part: [Image]) -> Set<String> { Set(part.map { groups[Int(($0.samples[0] * 60).rounded())] }) }
        #expect(found(split.training).isDisjoint(with: found(split.calibration)))
        #expect(split.training.count + split.calibration.count == 60)
        // At least the share, and less than one group more.
        #expect((12..<17).contains(split.calibration.count))
    }

    @Test("Groups of one image each give the same split as no groups")
    func single() throws {
        let images = (0..<20).map { Image(height: 8, width: 8, channels: 1, filledWith: Float($0) / 20) }
        let plain = try TrainingSplit(images, calibrationShare: 0.25, seed: 3)
        let grouped = try TrainingSplit(images, groups: (0..<20).map(String.init), calibrationShare: 0.25, seed: 3)
        #expect(plain.training == grouped.training && plain.calibration == grouped.calibration)
    }

    @Test("One group alone cannot be divided, and two images are too few, and the errors say what is needed")
    func tooFew() {
        let images = (0..<4).map { Image(height: 8, width: 8, channels: 1, filledWith: Float($0) / 4) }
        do {
            _ = try TrainingSplit(images, groups: ["a", "a", "a", "a"], calibrationShare: 0.25, seed: 0)
            Issue.record("one group was divided")
        } catch {
            #expect(error.description.contains("the number of groups of the 4 normal images is 1"))
        }
        do {
            _ = try TrainingSplit(Array(images[..<2]), calibrationShare: 0.25, seed: 0)
            Issue.record("two images were enough")
        } catch {
            #expect(
                error.description.contains("at least 3 are required: 2 for training and the bank, 1 for calibration")
            )
        }
    }
}
