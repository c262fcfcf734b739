import CJPEG

/// Decodes a JPEG row by row (`jpeg_read_scanlines`), so that only one row needs to be in memory.
///
/// `@safe` because its pointers never escape, and the bytes of the file outlive the reader; see
/// ``JPEG/withReader(_:maximumPixels:asGray:_:)``.
@safe public struct JPEGReader: ~Copyable {
    /// The file's header.
    public let header: JPEG.Header
    /// The number of channels of the rows: 1 for gray, 3 for color.
    public let channels: Int
    private let reader: OpaquePointer

    /// The number of rows between two calls of `isCancelled`.
    private static let rowsPerCheck = 16

    /// Reads the header of the file in `bytes`.
    init(_ bytes: UnsafeBufferPointer<UInt8>, maximumPixels: Int, asGray: Bool) throws(JPEGError) {
        var raw = dia_jpeg_header()
        var opened: OpaquePointer?
        let failure = unsafe Self.message { message in
            unsafe opened = unsafe dia_jpeg_open(bytes.baseAddress, bytes.count, &raw, message)
            return unsafe opened == nil ? -1 : 0
        }
        guard let pointer = unsafe opened else { throw .invalid(failure ?? "") }
        let outcome = Result { () throws(JPEGError) in
            let header = try Self.header(raw, maximumPixels)
            if let failure = unsafe Self.message({ unsafe dia_jpeg_begin(pointer, JPEG.maximumMemory, $0) }) {
                throw JPEGError.invalid(failure)
            }
            return header
        }
        switch outcome {
        case .success(let header):
            self.header = header
            channels = header.isGray || asGray ? 1 : 3
            unsafe reader = unsafe pointer
        case .failure(let error):
            unsafe dia_jpeg_close(pointer)
            throw error
        }
    }

    deinit { unsafe dia_jpeg_close(reader) }

    private static func header(_ raw: dia_jpeg_header, _ maximumPixels: Int) throws(JPEGError) -> JPEG.Header {
        let (width, height) = (Int(raw.width), Int(raw.height))
        // libjpeg rejects sides above 65,500, so the product does not overflow.
        guard width * height <= maximumPixels, max(width, height) <= JPEG.maximumSide else {
            throw .tooManyPixels(width: width, height: height, limit: maximumPixels)
        }
        let isGray: Bool
        switch Int(raw.colors) {
        case DIA_JPEG_GRAY: isGray = true
        case DIA_JPEG_COLOR: isGray = false
        case DIA_JPEG_CMYK: throw .unsupportedColors("CMYK")
        default: throw .unsupportedColors("unknown")
        }
        return JPEG.Header(width: width, height: height, isGray: isGray, isProgressive: raw.progressive != 0)
    }

    /// Calls `body` with the samples of each row, in [0, 1], and its index.
    ///
    /// `isCancelled` is polled regularly; if it returns true, the method throws an error. It also throws if the end of
    /// the file is damaged.
    public func forEachRow(
        isCancelled: () -> Bool = { false },
        _ body: (_ row: [Float], _ y: Int) -> Void
    ) throws(JPEGError) {
        var bytes = [UInt8](repeating: 0, count: header.width * (header.isGray ? 1 : 3))
        var row = [Float](repeating: 0, count: header.width * channels)
        for y in 0..<header.height {
            _ = try next(&bytes)
            if channels == 1, !header.isGray {
                for column in row.indices {
                    let (red, green, blue) = (bytes[3 * column], bytes[3 * column + 1], bytes[3 * column + 2])
                    // The same arithmetic as in Imaging.
                    row[column] = 0.299 * Self.sample(red) + 0.587 * Self.sample(green) + 0.114 * Self.sample(blue)
                }
            } else {
                for place in row.indices { row[place] = Self.sample(bytes[place]) }
            }
            body(row, y)
            if y % Self.rowsPerCheck == Self.rowsPerCheck - 1, isCancelled() { throw .cancelled }
        }
        // The call that finds no more rows also checks the end of the file.
        _ = try next(&bytes)
    }

    private static func sample(_ byte: UInt8) -> Float { Float(byte) / 255 }

    /// Decodes the next row into `row`; returns false after the last row.
    private func next(_ row: inout [UInt8]) throws(JPEGError) -> Bool {
        var status: Int32 = 0
        let failure = unsafe row.withUnsafeMutableBufferPointer { row in
            unsafe Self.message { message in
                status = unsafe dia_jpeg_next_row(reader, row.baseAddress, message)
                return status
            }
        }
        if let failure { throw .invalid(failure) }
        return status == 1
    }

    /// Calls the decoder; returns nil on success, otherwise the message of libjpeg.
    private static func message(_ call: (UnsafeMutablePointer<CChar>?) -> Int32) -> String? {
        var message = [CChar](repeating: 0, count: Int(DIA_JPEG_MESSAGE))
        let status = unsafe message.withUnsafeMutableBufferPointer { unsafe call($0.baseAddress) }
        guard status < 0 else { return nil }
        return String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
