import Codecs

extension FuzzTarget {
    /// gzip: no more comes out than is allowed, and any bytes can be packed and unpacked.
    static func runGzip(_ bytes: [UInt8]) {
        let (limit, ratio) = (1 << 17, 100)
        if let unpacked = try? Gzip.decompress(bytes, limit: limit, ratio: ratio) {
            require(unpacked.count <= min(limit, max(65_536, bytes.count * ratio)), "what is unpacked has a limit")
        }
        let again = must("what was packed is unpacked") { () throws(GzipError) in
            try Gzip.decompress(Gzip.compress(bytes), limit: bytes.count, ratio: ratio)
        }
        require(again == bytes, "bytes are packed and unpacked")
    }
}
