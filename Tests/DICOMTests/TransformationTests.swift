import DICOM
import Testing

/// The steps of rendering, on numbers.
struct TransformationTests {
    @Test(
        "A linear window maps its limits as PS3.3 C.11.2.1.2 says",
        arguments: [(1947.0, 0.0), (1948, 0), (1948.5, 0.5 / 199), (2047.5, 0.5), (2147, 1), (2200, 1)]
            as [(Double, Double)]
    )
    func linear(_ value: Double, _ expected: Double) throws {
        #expect(abs(try Window(center: 2048, width: 200)(value) - expected) < 1e-9)
    }

    @Test("LINEAR_EXACT uses the whole width, SIGMOID the logistic function")
    func otherFunctions() throws {
        let exact = try Window(center: 100, width: 50, function: .linearExact)
        #expect([75, 100, 125, 130].map(exact.callAsFunction) == [0, 0.5, 1, 1])
        let sigmoid = try Window(center: 100, width: 50, function: .sigmoid)
        #expect(sigmoid(100) == 0.5 && abs(sigmoid(125) - 0.880_797) < 1e-6 && sigmoid(-1e300) == 0)
    }

    @Test(
        "A window without width is an error",
        arguments: [
            (0.5, Window.Function.linear), (0, .linearExact), (-1, .sigmoid), (.nan, .linear), (.infinity, .sigmoid),
        ] as [(Double, Window.Function)]
    )
    func invalidWindow(_ width: Double, _ function: Window.Function) {
        #expect(throws: DICOMError.self) { try Window(center: 1, width: width, function: function) }
    }

    @Test("Values outside of a lookup table take its first and last entry")
    func lookup() {
        let table = LookupTable(first: -2, entries: [5, 6, 700, 9000], bits: 12)
        #expect(
            [-1e300, -3, -2, -1, 0.9, 1, 2, 1e300].map(table.callAsFunction) == [5, 5, 5, 6, 700, 4095, 4095, 4095]
        )
        #expect(table.maximum == 4095)
    }

    @Test("The first value of a table is negative if its VR says so, or if only that makes sense")
    func firstValue() {
        #expect(LookupTable.first(0xFFFE, isSigned: true, inputs: 0...65_535) == -2)
        #expect(LookupTable.first(0xFFFE, isSigned: false, inputs: -1024...3071) == -2)
        #expect(LookupTable.first(0xFFFE, isSigned: false, inputs: 0...65_535) == 65_534)
        #expect(LookupTable.first(0xFFFE, isSigned: false, inputs: -1024...64_511) == 65_534)
    }

    @Test("Entries of 8 bits are also read two a word, and missing ones are an error")
    func entries() throws {
        #expect(try LookupTable.entries([0x0201, 0x0403], count: 3, bits: 8, name: "") == [1, 2, 3])
        #expect(try LookupTable.entries([1, 2, 3, 4], count: 3, bits: 8, name: "") == [1, 2, 3])
        #expect(throws: DICOMError.self) { try LookupTable.entries([1, 2], count: 3, bits: 16, name: "") }
        #expect(
            try LookupTable.entries(Array(repeating: 1, count: 65_536), count: 0, bits: 16, name: "").count == 65_536
        )
    }

    @Test("Codes are cut to the stored bits, and the highest bit of a signed one is its sign")
    func codes() {
        let bytes: [UInt8] = [0xFF, 0xF7, 0x00, 0x18]
        let low = SampleCodes(unpacking: bytes, count: 2, bitsAllocated: 16, bitsStored: 12, highBit: 11)
        #expect(low == .narrow([0x7FF, 0x800]))
        let high = SampleCodes(unpacking: bytes, count: 2, bitsAllocated: 16, bitsStored: 12, highBit: 15)
        #expect(high == .narrow([0xF7F, 0x180]))
        let frame = StoredFrame(codes: low, bits: 12, isSigned: true, photometric: .monochrome2)
        #expect([0x7FF, 0x800, 0xFFF].map(frame.value) == [2047, -2048, -1] && frame.range == -2048...2047)
        let bits = SampleCodes(
            unpacking: [0b1010_0000, 1],
            count: 4,
            bitsAllocated: 1,
            bitsStored: 1,
            highBit: 0,
            skippedBits: 5
        )
        #expect(bits == .narrow([1, 0, 1, 1]))
        let wide = SampleCodes(unpacking: [1, 2, 3, 0xFF], count: 1, bitsAllocated: 32, bitsStored: 32, highBit: 31)
        #expect(wide == .wide([0xFF03_0201]))
    }

    @Test("The order is modality, window, inversion; padding is black in the end")
    func order() {
        let frame = StoredFrame(codes: .narrow([0, 10, 20, 99]), bits: 8, isSigned: false, photometric: .monochrome1)
        let rendering = GrayRendering(
            modality: .rescale(slope: 2, intercept: -10),
            mapping: .minimumToMaximum,
            padding: 99...99
        )
        let (samples, record) = rendering.render(frame, number: 1)
        #expect(samples == [65_535, 32_767, 0, 0])
        #expect(record.minimum == -10 && record.maximum == 30 && record.inverted && record.paddingPixels == 1)
    }

    @Test("A frame of one value, or of padding alone, is black")
    func constant() {
        for padding in [nil, 7...7] {
            let frame = StoredFrame(codes: .narrow([7, 7]), bits: 12, isSigned: false, photometric: .monochrome2)
            let rendering = GrayRendering(modality: .identity, mapping: .minimumToMaximum, padding: padding)
            #expect(rendering.render(frame, number: 1).samples == [0, 0])
        }
    }

    @Test("White, gray and the primary colors have the luma of Rec. 601")
    func luma() {
        #expect(ColorToGray.luma(red: 255, green: 255, blue: 255, bits: 8) == 65_535)
        #expect(ColorToGray.luma(red: 255, green: 0, blue: 0, bits: 8) == 19_595)
        #expect(ColorToGray.luma(red: 0, green: 255, blue: 0, bits: 8) == 38_469)
        #expect(ColorToGray.luma(red: 0, green: 0, blue: 65_535, bits: 16) == 7471)
        let planar = ColorToGray.render(
            [255, 0, 0, 0, 0, 255] as [UInt16],
            pixels: 2,
            bits: 8,
            isPlanar: true,
            isYBR: false
        )
        #expect(planar == [19_595, 7471])
    }

    @Test("Two pixels of YBR_FULL_422 share their color")
    func expansion() {
        #expect(ColorToGray.expanded422([1, 2, 3, 4, 5, 6, 7, 8]) == [1, 3, 4, 2, 3, 4, 5, 7, 8, 6, 7, 8])
    }
}
