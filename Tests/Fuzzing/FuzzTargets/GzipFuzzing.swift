import Codecs

extension FuzzTarget {
    /// gzip and deflate: the output stays within the limits, and any bytes can be compressed and decompressed.
    static func runGzip(_ bytes: [UInt8]) {
        let (limit, ratio) = (1 << 17, 100)
        if let unpacked = try? Gzip.decompress(bytes, limit: limit, ratio: ratio) {
            require(unpacked.count <= min(limit, max(65_536, bytes.count * ratio)), "the output stays within its limit")
        }
        if let unpacked = try? Deflate.decompress(bytes, limit: limit, ratio: ratio) {
            require(unpacked.count <= min(limit, max(65_536, bytes.count * ratio)), "the output stays within its limit")
        }
        let again = must("compressed data can be decompressed") { () throws(DecompressionError) in
            try Gzip.decompress(Gzip.compress(bytes), limit: bytes.count, ratio: ratio)
        }
        require(again == bytes, "bytes survive compression and decompression")
    }
}
