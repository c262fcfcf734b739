import CDCMTK

/// Decodes the bytes of one frame.
struct FrameDecoder {
    let syntax: TransferSyntax
    let description: PixelDescription
    /// The number of the frame, for messages.
    let number: Int

    /// Decodes a compressed frame.
    func decode(_ bytes: [UInt8]) throws(DICOMError) -> StoredFrame {
        guard !bytes.isEmpty else {
            throw .truncatedPixelData(frame: number, bytes: 0, expected: description.samples)
        }
        return switch syntax.kind {
        case .jpeg, .jpegLS: try jpeg(bytes)
        case .jpeg2000: try jpeg2000(bytes)
        case .rle: try rle(bytes)
        case .native, .encapsulated, .unsupported:
            throw .unsupportedTransferSyntax(uid: syntax.uid, name: syntax.name)
        }
    }

    private func corrupt(_ reason: String) -> DICOMError { .corruptFrame(frame: number, reason: reason) }

    /// Compares the size in a codestream with the attributes, before anything is allocated.
    private func check(width: Int, height: Int, components: Int) throws(DICOMError) {
        guard width == description.columns, height == description.rows, components == description.samplesPerPixel else {
            throw corrupt(
                "it has \(width) x \(height) pixels of \(components) samples, the attributes say "
                    + "\(description.columns) x \(description.rows) pixels of \(description.samplesPerPixel) samples"
            )
        }
    }

    private func jpeg(_ bytes: [UInt8]) throws(DICOMError) -> StoredFrame {
        guard let header = JPEGFrameHeader(bytes) else { throw corrupt("it is not a JPEG codestream") }
        try check(width: header.width, height: header.height, components: header.componentIDs.count)
        guard (2...16).contains(header.precision) else { throw corrupt("it has \(header.precision) bits per sample") }
        let allocated = header.precision <= 8 ? 8 : 16
        let samples = try decompress(bytes, bitsAllocated: allocated, bitsStored: header.precision)
        let stored = min(header.precision, description.bitsStored)
        // JPEG-LS has no sign: the sign is the highest bit of its samples.
        let bits = syntax.kind == .jpegLS && description.isSigned ? header.precision : stored
        return frame(
            samples,
            allocated: allocated,
            bits: bits,
            photometric: header.photometric(description.photometric)
        )
    }

    private func rle(_ bytes: [UInt8]) throws(DICOMError) -> StoredFrame {
        let allocated = description.bitsAllocated
        guard allocated >= 8 else { throw corrupt("RLE with \(allocated) bits allocated") }
        let samples = try decompress(bytes, bitsAllocated: allocated, bitsStored: description.bitsStored)
        return StoredFrame(
            codes: SampleCodes(
                unpacking: samples,
                count: description.samples,
                bitsAllocated: allocated,
                bitsStored: description.bitsStored,
                highBit: description.highBit
            ),
            bits: description.bitsStored,
            isSigned: description.isSigned,
            photometric: description.photometric
        )
    }

    /// A frame of interleaved samples, of which the lowest `bits` bits are used.
    private func frame(
        _ samples: [UInt8],
        allocated: Int,
        bits: Int,
        photometric: PhotometricInterpretation
    ) -> StoredFrame {
        StoredFrame(
            codes: SampleCodes(
                unpacking: samples,
                count: description.samples,
                bitsAllocated: allocated,
                bitsStored: bits,
                highBit: bits - 1
            ),
            // Unsigned samples of fewer bits than the attributes say keep the range of the attributes.
            bits: description.isSigned ? bits : description.bitsStored,
            isSigned: description.isSigned,
            photometric: photometric
        )
    }

    /// Decompresses with DCMTK, into little-endian samples.
    private func decompress(_ bytes: [UInt8], bitsAllocated: Int, bitsStored: Int) throws(DICOMError) -> [UInt8] {
        // The decoder needs room for an even number of bytes.
        let size = (description.samples * bitsAllocated / 8 + 1) & ~1
        guard let total = UInt32(exactly: size), let count = UInt32(exactly: bytes.count) else {
            throw corrupt("it has more than 4 GB")
        }
        var samples = [UInt8](repeating: 0, count: size)
        let name = description.photometric.rawValue
        let failure = unsafe withMessage { message in
            unsafe name.withCString { name in
                var frame = unsafe dia_dicom_frame(
                    rows: UInt16(description.rows),
                    columns: UInt16(description.columns),
                    samples_per_pixel: UInt16(description.samplesPerPixel),
                    bits_allocated: UInt16(bitsAllocated),
                    bits_stored: UInt16(bitsStored),
                    is_signed: description.isSigned ? 1 : 0,
                    photometric: name
                )
                return unsafe samples.withUnsafeMutableBufferPointer { samples in
                    unsafe dia_dicom_decompress(
                        syntax.uid,
                        &frame,
                        bytes,
                        count,
                        samples.baseAddress,
                        total,
                        message
                    )
                }
            }
        }
        if let failure { throw corrupt(failure) }
        return samples
    }

    private func jpeg2000(_ bytes: [UInt8]) throws(DICOMError) -> StoredFrame {
        let (header, samples) = try JPEG2000.decode(bytes, number: number) { (header) throws(DICOMError) in
            try check(width: header.width, height: header.height, components: header.components)
        }
        let isRGB = description.photometric == .ybrICT || description.photometric == .ybrRCT
        let mask = UInt16(truncatingIfNeeded: 1 << description.bitsStored - 1)
        let isCut = !description.isSigned && header.precision > description.bitsStored
        return StoredFrame(
            codes: .narrow(isCut ? samples.map { $0 & mask } : samples),
            bits: description.isSigned ? header.precision : min(description.bitsStored, 16),
            isSigned: description.isSigned,
            photometric: isRGB ? .rgb : description.photometric
        )
    }
}

/// Calls a function of the C module with a buffer for a message; returns the message if the result is not 0.
func withMessage(_ call: (UnsafeMutablePointer<CChar>?) -> Int32) -> String? {
    var message = [CChar](repeating: 0, count: Int(DIA_DICOM_MESSAGE))
    let status = unsafe message.withUnsafeMutableBufferPointer { unsafe call($0.baseAddress) }
    guard status != 0 else { return nil }
    return String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
