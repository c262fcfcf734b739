import ModelFile
import Testing

@Suite struct SafetensorsTests {
    private func file(_ header: String, data: [UInt8], length: Int? = nil) -> [UInt8] {
        let count = UInt64(length ?? header.utf8.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + Array(header.utf8) + data
    }

    private func error(_ header: String, data: [UInt8] = [0, 0, 128, 63], length: Int? = nil) -> String? {
        do throws(ModelFileError) {
            let file = try Safetensors(parsing: file(header, data: data, length: length), file: "w.safetensors")
            for name in file.names { _ = try file.floats(name) }
            return nil
        } catch {
            return error.description
        }
    }

    @Test(
        "Tensors survive a round trip in both precisions",
        arguments: [SafetensorsEncoder.Precision.float32, .float16]
    )
    func roundTrip(_ precision: SafetensorsEncoder.Precision) throws {
        let tensors = [
            NamedTensor(name: "a.weight", shape: [2, 3], values: [1, -2, 0.5, 0, 1024, -0.25]),
            NamedTensor(name: "quote \" and \\ and \u{1}é", shape: [1], values: [3]),
            NamedTensor(name: "empty", shape: [0], values: []),
            NamedTensor(name: "scalar", shape: [], values: [7]),
        ]
        let bytes = try SafetensorsEncoder.encode(tensors, as: precision, metadata: ["k": "v\n"], file: "f")
        let file = try Safetensors(parsing: bytes, file: "f")
        #expect(file.metadata == ["k": "v\n"] && file.names == tensors.map(\.name))
        for tensor in tensors { #expect(try file.floats(tensor.name, shape: tensor.shape) == tensor.values) }
    }

    @Test("A number that cannot be stored is an error", arguments: [Float.nan, .infinity, 70_000])
    func unstorable(_ value: Float) {
        #expect(throws: ModelFileError.self) {
            _ = try SafetensorsEncoder.encode(
                [NamedTensor(name: "a", shape: [1], values: [value])],
                as: .float16,
                file: "f"
            )
        }
    }

    static let good = #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#

    @Test("A valid file has no error")
    func valid() { #expect(error(Self.good) == nil) }

    @Test(
        "An invalid header is an error that describes the problem",
        arguments: [
            ("{", "expected"), ("", "expected"), ("[]", "expected"), ("{}x", "continues"), ("{}", "bytes follow"),
            (
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
                "twice"
            ),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#, "truncated"),
            (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "needs 8"),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "truncated"),
            (#"{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#, "unknown type"),
            (#"{"a":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,4]}}"#, "too large"),
            (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, "too large"),
            (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "expected an integer"),
            (#"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, "expected an integer"),
            (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, "expected"),
            (#"{"a":{"dtype":"F32","shape":[1]}}"#, "needs dtype"),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, "needs dtype"),
            (#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "repeated"),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, "unexpected"),
            (
                #"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"F16","shape":[1],"data_offsets":[1,3]}}"#,
                "overlaps"
            ),
            (
                #"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}"#,
                "gap"
            ),
            (#"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}"#, "2 bytes follow"),
            (#"{"a\ud83d \ude00":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "surrogate"),
            (#"{"a\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "surrogate"),
            (#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#, "dimensions"),
            (#"{"__metadata__":{"a":1}}"#, "expected"),
        ]
    )
    func broken(_ header: String, reason: String) {
        #expect(error(header)?.contains(reason) == true, "\(error(header) ?? "no error")")
    }

    @Test("A file truncated at any length is an error", arguments: 0..<66)
    func truncated(_ length: Int) {
        let whole = file(Self.good, data: [0, 0, 128, 63])
        #expect(whole.count == 66)
        #expect(throws: ModelFileError.self) { try Safetensors(parsing: Array(whole[..<length]), file: "f") }
    }

    @Test("A header length beyond the file or the limit is an error", arguments: [100, 100_000_001, Int.max])
    func headerLength(_ length: Int) { #expect(error(Self.good, length: length)?.contains("truncated") == true) }

    @Test("A non-finite number is an error that names its tensor and index")
    func notFinite() {
        let message = error(Self.good, data: [0, 0, 192, 127])
        #expect(message == "w.safetensors: tensor 'a': element 0 is not finite")
    }
}
