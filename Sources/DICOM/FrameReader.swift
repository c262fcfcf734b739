/// The frames of a file, read one at a time.
struct FrameReader {
    let description: PixelDescription
    private let isEncapsulated: Bool
    /// The fragments of each frame.
    private let fragments: [[Int]]
    private let native: (bytes: Int, isBigEndianWords: Bool)

    init(_ file: borrowing DICOMFile, _ description: PixelDescription) throws(DICOMError) {
        self.description = description
        isEncapsulated = try file.requirePixels().isEncapsulated
        native = file.nativeSize
        fragments = isEncapsulated ? try Self.fragments(file, description) : []
    }

    private static func fragments(
        _ file: borrowing DICOMFile,
        _ description: PixelDescription
    ) throws(DICOMError) -> [[Int]] {
        let sizes = file.fragmentSizes
        let table = try file.fragment(-1)
        let offsets = stride(from: 0, to: table.count - table.count % 4, by: 4).map { place in
            (0..<4).reduce(UInt32(0)) { $0 | UInt32(table[place + $1]) << UInt32(8 * $1) }
        }
        var starts = Set<Int>()
        if description.frames > 1, sizes.count > description.frames {
            for index in sizes.indices where sizes[index] > 0 {
                if try isStart(file.fragment(index)) { starts.insert(index) }
            }
        }
        return try FragmentAssembly.frames(description.frames, sizes: sizes, offsets: offsets) { starts.contains($0) }
    }

    /// Whether a fragment begins with the start of a JPEG, JPEG-LS or JPEG 2000 codestream.
    private static func isStart(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0xFF, 0xD8, 0xFF]) || bytes.starts(with: [0xFF, 0x4F, 0xFF, 0x51])
    }

    /// Decodes the frame with a number from 1.
    func frame(_ number: Int, of file: borrowing DICOMFile) throws(DICOMError) -> StoredFrame {
        guard (1...description.frames).contains(number) else {
            throw .frameOutOfRange(frame: number, frames: description.frames)
        }
        guard isEncapsulated else { return try nativeFrame(number, of: file) }
        var bytes: [UInt8] = []
        if number <= fragments.count {
            for fragment in fragments[number - 1] { bytes += try file.fragment(fragment) }
        }
        if file.transferSyntax.kind == .encapsulated {
            return try unpack(bytes, skippedBits: 0, number: number)
        }
        return try FrameDecoder(syntax: file.transferSyntax, description: description, number: number).decode(bytes)
    }

    /// The bits of a frame as stored uncompressed.
    private var bitsPerFrame: Int {
        // Two pixels of YBR_FULL_422 have four samples.
        let samples = description.photometric == .ybrFull422 ? description.pixels * 2 : description.samples
        return samples * description.bitsAllocated
    }

    private func nativeFrame(_ number: Int, of file: borrowing DICOMFile) throws(DICOMError) -> StoredFrame {
        // Frames of single bits are not padded to bytes.
        let (start, overflow) = bitsPerFrame.multipliedReportingOverflow(by: number - 1)
        let (first, last) = (start / 8, (start % 8 + bitsPerFrame + 7) / 8)
        guard !overflow, first <= native.bytes, last <= native.bytes - first else {
            let available = overflow ? 0 : max(0, native.bytes - first)
            throw .truncatedPixelData(frame: number, bytes: available, expected: last)
        }
        var bytes = try file.nativeBytes(first..<first + last)
        if native.isBigEndianWords, description.bitsAllocated == 32 {
            // DCMTK has swapped the bytes of each word; the order of the words is still that of the file.
            for place in stride(from: 0, to: bytes.count - 3, by: 4) {
                bytes.swapAt(place, place + 2)
                bytes.swapAt(place + 1, place + 3)
            }
        }
        return try unpack(bytes, skippedBits: start % 8, number: number)
    }

    private func unpack(_ bytes: [UInt8], skippedBits: Int, number: Int) throws(DICOMError) -> StoredFrame {
        let is422 = description.photometric == .ybrFull422
        let expected = (skippedBits + bitsPerFrame + 7) / 8
        guard bytes.count >= expected else {
            throw .truncatedPixelData(frame: number, bytes: bytes.count, expected: expected)
        }
        if is422, description.columns % 2 != 0 || description.isPlanar {
            throw .inconsistent("YBR_FULL_422 with an odd number of columns, or not interleaved")
        }
        var codes = SampleCodes(
            unpacking: bytes,
            count: bitsPerFrame / description.bitsAllocated,
            bitsAllocated: description.bitsAllocated,
            bitsStored: description.bitsStored,
            highBit: description.highBit,
            skippedBits: skippedBits
        )
        if is422, case .narrow(let samples) = codes { codes = .narrow(ColorToGray.expanded422(samples)) }
        return StoredFrame(
            codes: codes,
            bits: description.bitsStored,
            isSigned: description.isSigned,
            photometric: is422 ? .ybrFull : description.photometric,
            isPlanar: description.isPlanar
        )
    }
}
