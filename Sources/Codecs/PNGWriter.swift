import CPNG
public import Imaging

extension PNG {
    /// Encodes `image` with 8 bits per sample, rounded and clamped.
    ///
    /// NaN becomes 0. The image must not be empty and must have 1 or 3 channels.
    public static func encode(_ image: Image) -> [UInt8] {
        let length = image.width * image.channels
        let bytes = encode(height: image.height, width: image.width, channels: image.channels) { y, row in
            for place in 0..<length { row[place] = ByteImage.byte(image.samples[y * length + place]) }
        }
        guard let bytes else { preconditionFailure("encoding without a cancellation callback was cancelled") }
        return bytes
    }

    /// Encodes a gray image with 16 bits per sample.
    public static func encode(_ image: GrayImage) -> [UInt8] {
        let bytes = encode(height: image.height, width: image.width, channels: 1, bitDepth: 16) { y, row in
            for x in 0..<image.width {
                let sample = image.samples[y * image.width + x]
                row[2 * x] = UInt8(sample >> 8)
                row[2 * x + 1] = UInt8(truncatingIfNeeded: sample)
            }
        }
        guard let bytes else { preconditionFailure("encoding without a cancellation callback was cancelled") }
        return bytes
    }

    /// Encodes an image with 8 or 16 bits per sample, row by row (`png_write_row`).
    ///
    /// `fill` is called with the index of each row and a buffer of `width * channels` samples for it, the most significant
    /// byte first. `isCancelled` is polled regularly; if it returns true, the result is nil. The image must not be empty
    /// and must have 1 or 3 channels.
    public static func encode(
        height: Int,
        width: Int,
        channels: Int,
        bitDepth: Int = 8,
        isCancelled: () -> Bool = { false },
        _ fill: (_ y: Int, _ row: inout [UInt8]) -> Void
    ) -> [UInt8]? {
        precondition(channels == 1 || channels == 3, "invalid number of channels: \(channels)")
        precondition(bitDepth == 8 || bitDepth == 16, "invalid bit depth: \(bitDepth)")
        let (columns, rows) = (UInt32(width), UInt32(height))
        guard let writer = unsafe dia_png_writer_open(columns, rows, Int32(channels), Int32(bitDepth)) else {
            fatalError("out of memory while encoding a PNG")
        }
        defer { unsafe dia_png_writer_close(writer) }
        // The pieces are joined at the end, because an array that grows would be copied repeatedly.
        var pieces: [[UInt8]] = []
        func write(_ row: UnsafePointer<UInt8>?) {
            guard unsafe dia_png_write_row(writer, row) == 0 else { fatalError("out of memory while encoding a PNG") }
            var count = 0
            guard let bytes = unsafe dia_png_take(writer, &count), count > 0 else { return }
            pieces.append(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
        }
        var row = [UInt8](repeating: 0, count: width * channels * bitDepth / 8)
        for y in 0..<height {
            fill(y, &row)
            unsafe row.withUnsafeBufferPointer { unsafe write($0.baseAddress) }
            if y % 16 == 15, isCancelled() { return nil }
        }
        write(nil)
        return Array(pieces.joined())
    }
}
