/// An image whose samples are in a tensor: slices of the request body, not copies.
package struct SampleImage: Sendable {
    /// Datatype of the samples.
    package enum SampleType: String, Sendable {
        case uint8 = "UINT8"
        case uint16 = "UINT16"
        case float32 = "FP32"
    }

    let type: SampleType
    package let height, width, channels: Int
    /// The data from the start of each plane: one plane per channel, or one for all channels, interleaved.
    let planes: [ArraySlice<UInt8>]
    /// Whether the data is a JSON text; else it is binary, little-endian.
    let isText: Bool

    /// Bytes of text to be parsed.
    var textBytes: Int { isText ? 8 * height * width * channels : 0 }

    /// Calls `body` with each row, of samples in [0, 1] with channels innermost, until it returns false.
    package func forEachRow(_ body: (_ row: inout [Float], _ y: Int) -> Bool) {
        var cursors = planes.map { isText ? Cursor.text(NumberText($0)) : .binary($0.startIndex) }
        let count = width * channels / planes.count
        for y in 0..<height {
            var row = [Float](repeating: 0, count: width * channels)
            for plane in cursors.indices { read(count, plane, &cursors[plane], into: &row) }
            guard body(&row, y) else { return }
        }
    }

    /// Position in a plane.
    private enum Cursor {
        case binary(Int)
        case text(NumberText)
    }

    /// Reads `count` samples at `cursor` of `plane`.
    private func read(_ count: Int, _ plane: Int, _ cursor: inout Cursor, into row: inout [Float]) {
        let scale = Float(type.largest)
        switch cursor {
        case .binary(let start):
            let data = planes[plane]
            for index in 0..<count {
                row[plane + index * planes.count] = type.value(data, at: start + index * type.bytes) / scale
            }
            cursor = .binary(start + count * type.bytes)
        case .text(var numbers):
            for index in 0..<count { row[plane + index * planes.count] = Float(numbers.nextNumber()) / scale }
            cursor = .text(numbers)
        }
    }
}

extension SampleImage.SampleType {
    /// Size of a sample in binary data.
    var bytes: Int {
        switch self {
        case .uint8: 1
        case .uint16: 2
        case .float32: 4
        }
    }

    /// The value of white.
    var largest: Double {
        switch self {
        case .uint8: 255
        case .uint16: 65_535
        case .float32: 1
        }
    }

    /// Number of bits of a PNG sample with the same precision or, for FP32, the highest.
    var bitDepth: Int { self == .uint8 ? 8 : 16 }

    /// The valid values, for error messages.
    var range: String {
        switch self {
        case .uint8, .uint16: "an integer from 0 to \(Int(largest))"
        case .float32: "a number from 0 to 1"
        }
    }

    /// Whether `value` is valid.
    func isValid(_ value: Double) -> Bool {
        value >= 0 && value <= largest && (self == .float32 || value == value.rounded())
    }

    /// Returns the sample at `place` of binary data.
    func value(_ data: ArraySlice<UInt8>, at place: Int) -> Float {
        switch self {
        case .uint8: Float(data[place])
        case .uint16: Float(UInt16(data[place]) | UInt16(data[place + 1]) << 8)
        case .float32:
            Float(
                bitPattern: UInt32(data[place]) | UInt32(data[place + 1]) << 8 | UInt32(data[place + 2]) << 16
                    | UInt32(data[place + 3]) << 24
            )
        }
    }

    /// Returns the index of the first invalid sample of binary data; nil if all are valid.
    func firstInvalid(_ data: ArraySlice<UInt8>, _ isCancelled: () -> Bool) throws(ServiceError) -> Int? {
        guard self == .float32 else { return nil }
        for index in 0..<data.count / bytes {
            let value = value(data, at: data.startIndex + index * bytes)
            guard value >= 0, value <= 1 else { return index }
            if index.isMultiple(of: 65_536), isCancelled() { throw OpenInference.problem(.cancelled, "") }
        }
        return nil
    }
}
