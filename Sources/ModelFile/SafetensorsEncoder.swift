import Foundation

/// A tensor to write to a safetensors file.
public struct NamedTensor: Sendable {
    /// The name.
    public var name: String
    /// The shape.
    public var shape: [Int]
    /// The numbers in row-major order.
    public var values: [Float]

    /// Creates a tensor; `shape` must match the number of values.
    public init(name: String, shape: [Int], values: [Float]) {
        precondition(shape.reduce(1, *) == values.count, "\(name): \(values.count) numbers do not match shape \(shape)")
        self.name = name
        self.shape = shape
        self.values = values
    }
}

/// Writes safetensors files.
public enum SafetensorsEncoder {
    /// The storage format of numbers.
    public enum Precision: Sendable {
        /// Four bytes per number, exact.
        case float32
        /// Two bytes per number, rounded to nearest.
        case float16
    }

    /// Returns the bytes of a file that contains `tensors` in order.
    ///
    /// Throws an error if a number is not finite or is too large for `float16`.
    public static func encode(
        _ tensors: [NamedTensor],
        as precision: Precision = .float32,
        metadata: [String: String] = [:],
        file: String
    ) throws(ModelFileError) -> [UInt8] {
        var data: [UInt8] = []
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        for tensor in tensors {
            let begin = data.count
            for (index, value) in tensor.values.enumerated() {
                let isStorable = precision == .float32 ? value.isFinite : Float16(value).isFinite
                guard isStorable else {
                    throw ModelFileError(
                        file: file,
                        tensor: tensor.name,
                        reason: "element \(index) is \(value), which cannot be stored"
                    )
                }
                switch precision {
                case .float32: append(value.bitPattern, to: &data)
                case .float16: append(Float16(value).bitPattern, to: &data)
                }
            }
            let type = precision == .float32 ? "F32" : "F16"
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(tensor.name)):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(data.count)]}"
            )
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        // The data starts at a multiple of eight bytes, as in files written by the reference implementation.
        header += Array(repeating: 0x20, count: (8 - header.count % 8) % 8)
        var bytes: [UInt8] = []
        append(UInt64(header.count), to: &bytes)
        return bytes + header + data
    }

    private static func append(_ word: some FixedWidthInteger, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: word.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }

    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        guard let bytes = try? encoder.encode(text) else { preconditionFailure("a string cannot be encoded: \(text)") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
