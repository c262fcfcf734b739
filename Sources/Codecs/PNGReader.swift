import CPNG
import Imaging

/// Decodes a PNG row by row (`png_read_row`), so that only one row needs to be in memory.
///
/// `@safe` because its pointers never escape, and the bytes of the file outlive the reader; see
/// ``PNG/withReader(_:maximumPixels:asGray:_:)``.
@safe public struct PNGReader: ~Copyable {
    /// The file's header.
    public let header: PNG.Header
    /// The number of channels of the rows: 1 for gray, 3 for color.
    public let channels: Int
    /// Whether rows are stored in the seven passes of Adam7.
    public let isInterlaced: Bool
    private let reader: OpaquePointer

    /// The number of rows between two calls of `isCancelled`.
    private static let rowsPerCheck = 16

    /// Reads the header of the file in `bytes`.
    init(_ bytes: UnsafeBufferPointer<UInt8>, maximumPixels: Int, asGray: Bool) throws(PNGError) {
        var raw = dia_png_header()
        var opened: OpaquePointer?
        let failure = unsafe Self.message { message in
            unsafe opened = unsafe dia_png_open(bytes.baseAddress, bytes.count, &raw, message)
            return unsafe opened == nil ? -1 : 0
        }
        guard let pointer = unsafe opened else { throw .invalid(failure ?? "") }
        let outcome = Result { () throws(PNGError) in
            let header = try Self.header(raw, maximumPixels)
            let channels = asGray ? 1 : Int(raw.channels)
            if let failure = unsafe Self.message({ unsafe dia_png_begin(pointer, Int32(channels), $0) }) {
                throw PNGError.invalid(failure)
            }
            return (header, channels)
        }
        switch outcome {
        case .success(let (header, channels)):
            (self.header, self.channels) = (header, channels)
            isInterlaced = raw.interlaced != 0
            unsafe reader = unsafe pointer
        case .failure(let error):
            unsafe dia_png_close(pointer)
            throw error
        }
    }

    deinit { unsafe dia_png_close(reader) }

    private static func header(_ raw: dia_png_header, _ maximumPixels: Int) throws(PNGError) -> PNG.Header {
        let (width, height) = (Int(raw.width), Int(raw.height))
        // Both are less than 2^31, so the product does not overflow.
        guard width * height <= maximumPixels, max(width, height) <= PNG.maximumSide else {
            throw .tooManyPixels(width: width, height: height, limit: maximumPixels)
        }
        guard let color = PNG.ColorType(colorType: raw.color_type) else { throw .invalid("unknown color type") }
        return PNG.Header(width: width, height: height, bitDepth: Int(raw.bit_depth), color: color)
    }

    /// Calls `body` with each row and its index.
    ///
    /// A row of an interlaced file is passed several times with different pixels: `first` and `step` are the columns
    /// that are set, and all other samples are 0. `isCancelled` is polled regularly; if it returns true, the method
    /// throws an error.
    ///
    /// Before `body`, `decoded` is called with the samples of these columns as decoded: ``bytesPerPixel`` bytes for
    /// each.
    public func forEachRow(
        isCancelled: () -> Bool = { false },
        decoded: (_ samples: Span<UInt8>, _ y: Int, _ columns: StrideTo<Int>) -> Void = { _, _, _ in },
        _ body: (_ row: [Float], _ y: Int, _ columns: StrideTo<Int>) -> Void
    ) throws(PNGError) {
        let empty = [Float](repeating: 0, count: header.width * channels)
        var row = empty
        var untilCheck = Self.rowsPerCheck
        while let place = try unsafe row.withUnsafeMutableBufferPointer({ (row) throws(PNGError) in
            try unsafe next(row.baseAddress)
        }) {
            let columns = stride(from: Int(place.first), to: header.width, by: Int(place.step))
            withSamples { decoded($0, Int(place.y), columns) }
            body(row, Int(place.y), columns)
            if isInterlaced { row = empty }
            untilCheck -= 1
            guard untilCheck == 0 else { continue }
            untilCheck = Self.rowsPerCheck
            if isCancelled() { throw .cancelled }
        }
    }

    /// Bytes of a pixel as decoded: gray or RGB, followed by alpha if the file has transparency.
    ///
    /// A sample is 1 byte, or 2 for a depth of 16, the most significant first. Samples of less than 8 bits are scaled
    /// to 8, and palette indices are replaced by colors.
    public var bytesPerPixel: Int { Int(unsafe dia_png_bytes_per_pixel(reader)) }

    /// Calls `body` with the samples of the last row as decoded.
    private func withSamples(_ body: (Span<UInt8>) -> Void) {
        var count = 0
        let start = unsafe dia_png_samples(reader, &count)
        body(unsafe Span(_unsafeElements: UnsafeBufferPointer(start: start, count: count)))
    }

    /// The faults of the file that were tolerated; complete after the last row.
    public var defects: [PNG.Defect] {
        let bits = unsafe dia_png_defects(reader)
        return PNG.Defect.allCases.filter { bits & $0.bit != 0 }
    }

    /// Decodes all pixels.
    func image() throws(PNGError) -> Image {
        let (width, height) = (header.width, header.height)
        let length = width * channels
        var failure: PNGError?
        // The array is not zeroed, so memory for pixels that are in the header but not in the file is never written.
        let samples = unsafe [Float](unsafeUninitializedCapacity: height * length) { samples, written in
            do throws(PNGError) {
                try unsafe fill(samples.baseAddress, length)
                written = height * length
            } catch {
                failure = error
                written = 0
            }
        }
        if let failure { throw failure }
        return Image(height: height, width: width, channels: channels, samples: samples)
    }

    private func fill(_ samples: UnsafeMutablePointer<Float>?, _ length: Int) throws(PNGError) {
        guard let samples = unsafe samples else { return }
        guard isInterlaced else {
            for row in 0..<header.height { _ = try unsafe next(samples + row * length) }
            // The call that finds no more rows also checks the end of the file.
            _ = try unsafe next(samples)
            return
        }
        try forEachRow { row, y, columns in
            for column in columns {
                for place in column * channels..<(column + 1) * channels {
                    unsafe samples[y * length + place] = row[place]
                }
            }
        }
    }

    /// Decodes the next row into `samples`; returns nil after the last row.
    private func next(_ samples: UnsafeMutablePointer<Float>?) throws(PNGError) -> dia_png_row? {
        var place = dia_png_row()
        var status: Int32 = 0
        let failure = unsafe Self.message { message in
            status = unsafe dia_png_next_row(reader, samples, &place, message)
            return status
        }
        if let failure { throw .invalid(failure) }
        return status == 1 ? place : nil
    }

    /// Calls the decoder; returns nil on success, otherwise the message of libpng.
    private static func message(_ call: (UnsafeMutablePointer<CChar>?) -> Int32) -> String? {
        var message = [CChar](repeating: 0, count: Int(DIA_PNG_MESSAGE))
        let status = unsafe message.withUnsafeMutableBufferPointer { unsafe call($0.baseAddress) }
        guard status < 0 else { return nil }
        return String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
