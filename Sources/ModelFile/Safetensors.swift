/// The contents of a safetensors file: named tensors, validated before any of them is read.
///
/// A file consists of 8 bytes (the length of the header, little-endian), the JSON header, and raw little-endian
/// numbers. A model file is untrusted input: the header length, every offset, overlaps, gaps, lengths compared to
/// shapes, and duplicate names are checked, and no allocation size is taken from the file.
public struct Safetensors: Sendable {
    /// The supported element types.
    private enum ElementType: String {
        case double = "F64"
        case float = "F32"
        case half = "F16"
        case brain = "BF16"
        case long = "I64"

        var size: Int {
            switch self {
            case .double, .long: 8
            case .float: 4
            case .half, .brain: 2
            }
        }
    }

    /// The sizes of the other element types of the format; a file may contain such tensors, but they are not read.
    private static let otherSizes = [
        "I32": 4, "U32": 4, "U64": 8, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1,
    ]

    /// The largest header length in bytes, which is the limit of the reference implementation.
    public static let maximumHeaderLength = 100_000_000

    /// The name of the file, for error messages.
    public let file: String
    /// The strings in the header's `__metadata__`.
    public let metadata: [String: String]
    /// The names of the tensors in the order of the header.
    public let names: [String]
    private let entries: [String: SafetensorsHeader.Entry]
    private let bytes: [UInt8]
    private let dataStart: Int

    /// Parses `bytes`; `file` is the name for error messages.
    public init(parsing bytes: [UInt8], file: String) throws(ModelFileError) {
        func fail(_ reason: String, _ tensor: String? = nil) -> ModelFileError {
            ModelFileError(file: file, tensor: tensor, reason: reason)
        }
        guard bytes.count >= 8 else { throw fail("truncated: \(bytes.count) bytes are too few for the header length") }
        let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(Self.maximumHeaderLength), Int(length) <= bytes.count - 8 else {
            throw fail("truncated: header length is \(length), file size is \(bytes.count)")
        }
        dataStart = 8 + Int(length)
        let header: SafetensorsHeader
        do {
            header = try SafetensorsHeader(parsing: bytes[8..<dataStart])
        } catch {
            throw fail(error.reason, error.tensor)
        }
        var end = 0
        for entry in header.entries.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
            guard let size = ElementType(rawValue: entry.type)?.size ?? Self.otherSizes[entry.type] else {
                throw fail("unknown type \(entry.type)", entry.name)
            }
            var count = size
            for extent in entry.shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: extent)
                guard !overflow else { throw fail("shape \(entry.shape) is too large", entry.name) }
                count = product
            }
            guard entry.begin <= entry.end, entry.end <= bytes.count - dataStart else {
                throw fail("truncated: ends at byte \(entry.end) of \(bytes.count - dataStart)", entry.name)
            }
            guard entry.end - entry.begin == count else {
                throw fail("has \(entry.end - entry.begin) bytes, but shape \(entry.shape) needs \(count)", entry.name)
            }
            guard entry.begin == end else {
                throw fail(entry.begin < end ? "overlaps the previous tensor" : "a gap precedes it", entry.name)
            }
            end = entry.end
        }
        guard end == bytes.count - dataStart else {
            throw fail("\(bytes.count - dataStart - end) bytes follow the last tensor")
        }
        self.file = file
        self.bytes = bytes
        metadata = header.metadata
        names = header.entries.map(\.name)
        entries = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.name, $0) })
    }

    /// Returns the shape of the tensor named `name`; nil if it does not exist.
    public func shape(of name: String) -> [Int]? { entries[name]?.shape }

    /// Returns the numbers of the tensor named `name`, which must have shape `shape` and finite elements.
    public func floats(_ name: String, shape: [Int]) throws(ModelFileError) -> [Float] {
        guard let entry = entries[name] else { throw ModelFileError(file: file, tensor: name, reason: "is missing") }
        guard entry.shape == shape else {
            throw ModelFileError(file: file, tensor: name, reason: "has shape \(entry.shape), expected \(shape)")
        }
        return try floats(name)
    }

    /// Returns the numbers of the tensor named `name`, of any shape; all elements must be finite.
    public func floats(_ name: String) throws(ModelFileError) -> [Float] {
        let values = try doubles(name).map { Float($0) }
        guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return values }
        throw ModelFileError(file: file, tensor: name, reason: "element \(bad) is not finite")
    }

    /// Returns the numbers of the tensor named `name` in double precision.
    public func doubles(_ name: String) throws(ModelFileError) -> [Double] {
        guard let entry = entries[name] else { throw ModelFileError(file: file, tensor: name, reason: "is missing") }
        guard let type = ElementType(rawValue: entry.type) else {
            throw ModelFileError(file: file, tensor: name, reason: "type \(entry.type) is not supported for weights")
        }
        let start = dataStart + entry.begin
        func bits<Word: FixedWidthInteger>(_ index: Int, _: Word.Type) -> Word {
            let size = MemoryLayout<Word>.size
            return (0..<size).reversed().reduce(0) { $0 << 8 | Word(bytes[start + index * size + $1]) }
        }
        let count = (entry.end - entry.begin) / type.size
        return switch type {
        case .double: (0..<count).map { Double(bitPattern: bits($0, UInt64.self)) }
        case .long: (0..<count).map { Double(bits($0, Int64.self)) }
        case .float: (0..<count).map { Double(Float(bitPattern: bits($0, UInt32.self))) }
        case .half: (0..<count).map { Double(Float16(bitPattern: bits($0, UInt16.self))) }
        case .brain: (0..<count).map { Double(Float(bitPattern: UInt32(bits($0, UInt16.self)) << 16)) }
        }
    }
}
