import DICOM
import Testing

/// Fragments, headers of codestreams and segmented palettes.
struct CodestreamTests {
    private func frames(
        _ count: Int,
        _ sizes: [Int],
        offsets: [UInt32] = [],
        starts: Set<Int> = []
    ) throws -> [[Int]] {
        try FragmentAssembly.frames(count, sizes: sizes, offsets: offsets) { starts.contains($0) }
    }

    @Test("A single frame has all fragments, several frames one each; empty fragments are dropped")
    func simple() throws {
        #expect(try frames(1, [4, 0, 6, 8]) == [[0, 2, 3]])
        #expect(try frames(3, [4, 0, 6, 8]) == [[0], [2], [3]])
        #expect(try frames(3, [4, 6]) == [[0], [1]])
        #expect(try frames(1, []) == [[]])
    }

    @Test("The offset table, or else the beginnings of codestreams, tell several fragments per frame apart")
    func several() throws {
        #expect(try frames(2, [4, 6, 8], offsets: [0, 26]) == [[0, 1], [2]])
        #expect(try frames(2, [4, 6, 8], offsets: [0, 12]) == [[0], [1, 2]])
        #expect(try frames(2, [4, 6, 8], starts: [0, 2]) == [[0, 1], [2]])
        // An offset that is not the beginning of a fragment.
        #expect(try frames(2, [4, 6, 8], offsets: [0, 13], starts: [0, 1]) == [[0], [1, 2]])
        #expect(throws: DICOMError.ambiguousFragments(fragments: 3, frames: 2)) { try frames(2, [4, 6, 8]) }
    }

    /// A JPEG header of three components.
    private func header(ids: [UInt8], jfif: Bool) -> [UInt8] {
        let app: [UInt8] = jfif ? [0xFF, 0xE0, 0, 7] + Array("JFIF\0".utf8) : []
        let components: [UInt8] = ids.flatMap { [$0, 0x11, 0] as [UInt8] }
        return [0xFF, 0xD8] + app + [0xFF, 0xFF, 0xC1, 0, 17, 12, 0, 5, 0, 9, 3] + components
    }

    @Test("The header tells size and depth, and its markers overrule the attribute about the color space")
    func jpegHeader() throws {
        let plain = try #require(JPEGFrameHeader(header(ids: [1, 2, 3], jfif: false)))
        #expect(plain.precision == 12 && plain.height == 5 && plain.width == 9 && plain.componentIDs.count == 3)
        #expect(plain.photometric(.rgb) == .rgb && plain.photometric(.ybrFull) == .ybrFull)
        let jfif = try #require(JPEGFrameHeader(header(ids: [1, 2, 3], jfif: true)))
        #expect(jfif.photometric(.rgb) == .ybrFull)
        let rgb = try #require(JPEGFrameHeader(header(ids: Array("RGB".utf8), jfif: false)))
        #expect(rgb.photometric(.ybrFull422) == .rgb)
    }

    @Test("Truncated headers are not accepted", arguments: 0..<31)
    func truncatedHeader(_ count: Int) {
        let bytes = header(ids: [1, 2, 3], jfif: true)
        #expect(bytes.count == 31)
        #expect(JPEGFrameHeader(Array(bytes.prefix(count))) == nil)
    }

    @Test("Segments of a palette are values, lines and repetitions")
    func segments() throws {
        let words: [UInt16] = [0, 2, 10, 20, 1, 4, 60]
        #expect(try SegmentedPalette.expand(words, bits: 16, count: 6, name: "") == [10, 20, 30, 40, 50, 60])
        // An indirect segment: one segment from byte 0.
        let indirect = words + [2, 1, 0, 0]
        let expanded = try SegmentedPalette.expand(indirect, bits: 16, count: 8, name: "")
        #expect(expanded == [10, 20, 30, 40, 50, 60, 10, 20])
        let bytes: [UInt16] = [0x0200, 0x140A, 0x0401, 0x003C]
        #expect(try SegmentedPalette.expand(bytes, bits: 8, count: 6, name: "") == [10, 20, 30, 40, 50, 60])
    }

    @Test(
        "Invalid segments are errors",
        arguments: [
            [0, 9, 1], [1, 4, 60], [3, 1, 0], [0, 1, 5, 2, 1, 0, 0, 0, 0], [0, 1, 5, 2, 9, 6, 0], [0, 0],
            [0, 1, 5, 2, 1, 0xFFFF, 0xFFFF],
        ] as [[UInt16]]
    )
    func invalidSegments(_ words: [UInt16]) {
        #expect(throws: DICOMError.self) { try SegmentedPalette.expand(words, bits: 16, count: 50, name: "") }
    }
}
