/// A file that is compressed with deflate in an archive; decompressed when it is needed.
public struct DeflatedFile: Sendable {
    private let packed: ArraySlice<UInt8>
    /// CRC-32 of the content; nil if it is not to be verified.
    private let checksum: UInt32?
    /// Size of the content in bytes.
    public let count: Int

    init(_ packed: ArraySlice<UInt8>, count: Int, checksum: UInt32?) {
        self.packed = packed
        self.count = count
        self.checksum = checksum
    }

    /// A copy with bytes of its own, which does not hold the archive in memory.
    public var detached: DeflatedFile { DeflatedFile(Array(packed)[...], count: count, checksum: checksum) }

    /// Size of the compressed bytes.
    public var packedCount: Int { packed.count }

    /// Maximum number of compressed bytes that are read for the first bytes of the content.
    private static let prefixLimit = 4096

    /// Returns the first `count` bytes of the content, or fewer if they are not among those that the first 4,096
    /// compressed bytes hold; nil if they are damaged.
    ///
    /// Takes constant time, and verifies nothing.
    public func prefix(_ count: Int) -> [UInt8]? {
        Inflate.prefix(min(count, self.count), of: packed.prefix(Self.prefixLimit))
    }

    /// Returns the content; throws an error unless it has the announced size and checksum.
    public func bytes() throws(ArchiveError) -> [UInt8] {
        let content: [UInt8]
        do {
            content = try Inflate.decompress(packed, count: count)
        } catch {
            switch error {
            case .invalid, .truncated: throw .invalid("the compressed file is damaged")
            case .wrongLength: throw .invalid("the file is damaged: it does not have the announced size")
            }
        }
        if let checksum, CRC32.checksum(content[...]) != checksum { throw ZipReader.wrongChecksum }
        return content
    }
}
