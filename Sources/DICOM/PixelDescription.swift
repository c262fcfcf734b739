/// The image pixel module of a file (PS3.3, C.7.6.3), checked.
struct PixelDescription: Sendable, Hashable {
    var rows, columns: Int
    var samplesPerPixel: Int
    var photometric: PhotometricInterpretation
    /// The size of a sample in memory, the bits that are used, and the number of the highest of them.
    var bitsAllocated, bitsStored, highBit: Int
    var isSigned: Bool
    /// Whether all samples of a color come before those of the next.
    var isPlanar: Bool
    var frames: Int

    /// The pixels of a frame.
    var pixels: Int { rows * columns }
    /// The samples of a frame.
    var samples: Int { pixels * samplesPerPixel }

    /// Reads and checks the attributes of a data set.
    init(_ item: DICOMItem, maximumPixels: Int) throws(DICOMError) {
        func required(_ tag: DICOMTag, _ name: String) throws(DICOMError) -> Int {
            guard let value = item.word(tag) else { throw .missing(name) }
            return Int(value)
        }
        rows = try required(.rows, "Rows (0028,0010)")
        columns = try required(.columns, "Columns (0028,0011)")
        guard rows > 0, columns > 0 else { throw .inconsistent("the image has \(columns) x \(rows) pixels") }
        guard rows * columns <= maximumPixels else {
            throw .tooManyPixels(rows: rows, columns: columns, limit: maximumPixels)
        }
        guard let name = item.text(.photometricInterpretation) else {
            throw .missing("Photometric Interpretation (0028,0004)")
        }
        guard let photometric = PhotometricInterpretation(rawValue: name) else {
            throw .unsupportedPhotometricInterpretation(String(name.prefix(32)))
        }
        self.photometric = photometric
        samplesPerPixel = Int(item.word(.samplesPerPixel) ?? UInt16(photometric.samplesPerPixel))
        guard samplesPerPixel == photometric.samplesPerPixel else {
            throw .inconsistent("\(name) with \(samplesPerPixel) samples per pixel")
        }
        bitsAllocated = try required(.bitsAllocated, "Bits Allocated (0028,0100)")
        bitsStored = Int(item.word(.bitsStored) ?? UInt16(bitsAllocated))
        highBit = item.word(.highBit).map(Int.init) ?? bitsStored - 1
        isSigned = item.word(.pixelRepresentation) == 1
        isPlanar = samplesPerPixel > 1 && item.word(.planarConfiguration) == 1
        frames = try Self.frames(item)
        try checkBits()
    }

    private func checkBits() throws(DICOMError) {
        guard [1, 8, 16, 32].contains(bitsAllocated) else {
            throw .inconsistent("\(bitsAllocated) bits allocated; supported are 1, 8, 16 and 32")
        }
        guard (1...bitsAllocated).contains(bitsStored), (bitsStored - 1..<bitsAllocated).contains(highBit) else {
            throw .inconsistent("\(bitsStored) bits stored of \(bitsAllocated), with the high bit \(highBit)")
        }
        guard samplesPerPixel == 1 || bitsAllocated >= 8 else { throw .inconsistent("color with 1 bit allocated") }
    }

    private static func frames(_ item: DICOMItem) throws(DICOMError) -> Int {
        guard let text = item.text(.numberOfFrames) else { return 1 }
        guard let frames = Int(text), frames >= 0, frames <= Int(Int32.max) else {
            throw .inconsistent("Number of Frames is not a number from 1 to \(Int32.max)")
        }
        // Some writers store 0 for a single frame.
        return max(frames, 1)
    }
}
