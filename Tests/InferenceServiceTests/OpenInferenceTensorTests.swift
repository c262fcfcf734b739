import Codecs
import Foundation
import Imaging
import ModelFile
import TestSupport
import Testing

/// Tensors of samples, and binary data.
@Suite struct OpenInferenceTensorTests {
    private static let (height, width) = (30, 21)
    /// Difference of two scores of the same samples, as documented.
    private static let tolerance = 1e-4

    /// Gray images of 16 bits.
    private let images: [[UInt16]] = (0..<2).map { image in
        (0..<30 * 21).map { UInt16(truncatingIfNeeded: $0 * (331 + 40 * image) + $0 / 21 * 1009) }
    }
    private var files: [[UInt8]] { images.map { PNGBuilder.gray16(width: Self.width, samples: $0) } }

    private func littleEndian(_ values: some Sequence<some FixedWidthInteger>) -> [UInt8] {
        values.flatMap { value in
            stride(from: 0, to: type(of: value).bitWidth, by: 8).map { UInt8(truncatingIfNeeded: value >> $0) }
        }
    }

    private func binary(_ datatype: String, _ shape: [Int], _ size: Int, more: String = "") -> String {
        "\"datatype\": \"\(datatype)\", \"shape\": \(shape), \"parameters\": {\"binary_data_size\": \(size)\(more)}"
    }

    /// The sample tensors, as the members of an input and its binary data, that represent `images`.
    private var sampleForms: [(String, [UInt8]?)] {
        let samples = images.flatMap { $0 }
        let floats = samples.map { Float($0) / 65535 }
        let (words, bits) = (littleEndian(samples), littleEndian(floats.map(\.bitPattern)))
        let (h, w) = (Self.height, Self.width)
        let nested = images.map { image in
            stride(from: 0, to: h * w, by: w).map { Array(image[$0..<$0 + w]) }
        }
        return [
            (binary("UINT16", [2, h, w], words.count), words), (binary("UINT16", [2, 1, h, w], words.count), words),
            (binary("UINT16", [2, h, w, 1], words.count), words), (binary("FP32", [2, h, w], bits.count), bits),
            ("\"datatype\": \"UINT16\", \"shape\": [2, \(h), \(w)], \"data\": \(samples)", nil),
            ("\"data\": \(nested), \"datatype\": \"UINT16\", \"shape\": [2, \(h), \(w)]", nil),
            ("\"datatype\": \"FP32\", \"shape\": [2, \(h), \(w)], \"data\": \(floats)", nil),
            ("\"datatype\": \"FP32\", \"shape\": [2, 1, \(h), \(w)], \"data\": \(floats.map { Double($0) })", nil),
        ]
    }

    @Test("Samples of 16 bits score as a PNG file of the same samples, in every form")
    func samples() async throws {
        let client = try OpenInferenceClient("gray-pad")
        for (input, data) in sampleForms {
            let found = try await client.infer(input, data: data).normality()
            #expect(found.count == 2)
            for (file, normality) in zip(files, found) {
                let expected = try await client.normality(ofFile: file)
                #expect(abs(normality - expected) < Self.tolerance, "\(input.prefix(60))")
            }
        }
        // Precision beyond 8 bits matters for these images.
        let bytes = images.flatMap { $0.map { UInt8($0 >> 8) } }
        let coarse = try await client.infer(binary("UINT8", [2, Self.height, Self.width], bytes.count), data: bytes)
        #expect(try await abs(coarse.normality()[0] - client.normality(ofFile: files[0])) > Self.tolerance)
    }

    @Test("A model of three channels takes channels as axis 1 or 3, and gray without them")
    func channels() async throws {
        let client = try OpenInferenceClient("rgb-resize")
        let (h, w) = (10, 12)
        let planar = (0..<3 * h * w).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let interleaved = (0..<h * w).flatMap { pixel in (0..<3).map { planar[$0 * h * w + pixel] } }
        let color = Image(height: h, width: w, channels: 3, samples: interleaved.map { Float($0) / 255 })
        let expected = try await client.normality(ofFile: PNG.encode(color))
        let text = "\"datatype\": \"UINT8\", \"shape\": [1, 3, \(h), \(w)], \"data\": \(planar)"
        for (input, data) in [
            (binary("UINT8", [1, 3, h, w], planar.count), planar),
            (binary("UINT8", [1, h, w, 3], planar.count), interleaved), (text, nil),
        ] {
            let found = try await client.infer(input, data: data).normality()
            #expect(abs(found[0] - expected) < Self.tolerance, "\(input.prefix(60))")
        }
        let gray = Array(planar[..<(h * w)])
        let image = Image(height: h, width: w, channels: 1, samples: gray.map { Float($0) / 255 })
        let found = try await client.infer(binary("UINT8", [1, h, w], gray.count), data: gray).normality()
        #expect(try await abs(found[0] - client.normality(ofFile: PNG.encode(image))) < Self.tolerance)
    }

    @Test("Files in binary data score as in base64, whatever the Content-Type and the coding")
    func binaryFiles() async throws {
        let client = try OpenInferenceClient("gray-pad")
        let data = files.flatMap { littleEndian([UInt32($0.count)]) + $0 }
        let expected = try await client.normality(ofFile: files[1])
        let text = Array("{\"inputs\": [{\"name\": \"image\", \(binary("BYTES", [2, 1], data.count))}]}".utf8)
        let length = ("Inference-Header-Content-Length", String(text.count))
        let types = ["", "application/octet-stream", "application/json", "application/x-www-form-urlencoded"]
        for headers in [[]] + types.map({ [("Content-Type", $0)] }) {
            let answer = try await client.send(text + data, headers: headers + [length])
            #expect(try abs(answer.normality()[1] - expected) < Self.tolerance)
        }
        let packed = Gzip.compress(text + data)
        let answer = try await client.send(packed, headers: [length, ("Content-Encoding", "gzip")])
        #expect(try abs(answer.normality()[1] - expected) < Self.tolerance)
        // The zlib format, as the coding "deflate", of the JSON text of a request without binary data.
        let plain = "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"UINT8\",\"shape\":[1,1,1],\"data\":[9]}]}"
        let deflated = PNGBuilder.stored(Array(plain.utf8))
        #expect(try await client.send(deflated, headers: [("Content-Encoding", "deflate")]).status == 200)
        #expect(try await client.send(deflated, headers: [("Content-Encoding", "gzip")]).status == 400)
    }

    @Test("Parameters of the request or of the input render samples as the query does for a file")
    func parameters() async throws {
        let client = try OpenInferenceClient("gray-pad")
        let samples = images[0].map { $0 >> 4 }
        let file = PNGBuilder.gray16(width: Self.width, samples: samples)
        let (data, shape) = (littleEndian(samples), [1, Self.height, Self.width])
        let plain = try await client.normality(ofFile: file)
        for (query, parameters) in [
            ("bits=12", "\"bits\": 12"),
            ("bits=12&photometric=MONOCHROME1", "\"bits\": \"12\", \"photometric\": \"MONOCHROME1\""),
            ("window_center=2000.5&window_width=900", "\"window_center\": 2000.5, \"window_width\": 900"),
        ] {
            let expected = try await client.normality(ofFile: file, query: query)
            #expect(abs(expected - plain) > Self.tolerance)
            let own = binary("UINT16", shape, data.count, more: ", \(parameters), \"content_type\": \"np\"")
            let common = binary("UINT16", shape, data.count)
            let found = [
                try await client.infer(own, data: data, more: ", \"parameters\": {\"bits\": null}"),
                try await client.infer(common, data: data, more: ", \"parameters\": {\(parameters), \"priority\": {}}"),
            ]
            for answer in found { #expect(try abs(answer.normality()[0] - expected) < Self.tolerance, "\(query)") }
        }
        let tooLarge = littleEndian(images[0])
        let bits = binary("UINT16", shape, tooLarge.count, more: ", \"bits\": 9")
        #expect(try await client.infer(bits, data: tooLarge).status == 422)
        let bytes = [UInt8](repeating: 1, count: Self.height * Self.width)
        let eight = binary("UINT8", shape, bytes.count, more: ", \"bits\": 12")
        #expect(try await client.infer(eight, data: bytes).status == 422)
        let invalid = binary("UINT16", shape, data.count, more: ", \"bits\": true")
        #expect(try await client.infer(invalid, data: data).status == 400)
    }

    @Test("Outputs are binary if the request or the output asks for it")
    func binaryOutputs() async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("m")
            let values = (0..<39).map { Float($0) / 10 }
            try ReferenceModels.calibrated("gray-pad", in: place, normality: values, alpha: 0.1)
            let client = try OpenInferenceClient("gray-pad", in: place)
            let input = "\"datatype\": \"UINT8\", \"shape\": [2, 1, 2], \"data\": [0, 9, 200, 100]"
            let text = try await client.infer(input)
            #expect(text.headerLength == nil && text.contentType == "application/json")
            let binary = try await client.infer(input, more: ", \"parameters\": {\"binary_data_output\": true}")
            #expect(binary.headerLength != nil && binary.contentType == "application/octet-stream")
            #expect(Set(binary.outputs.keys) == ["normality", "score", "p_value", "anomalous", "verdict", "typical"])
            for (name, values) in text.outputs {
                let found = try #require(binary.outputs[name])
                for (value, other) in zip(values, found) {
                    let numbers = (Double(value), Double(other))
                    if let first = numbers.0, let second = numbers.1 {
                        #expect(abs(first - second) < 1e-6)
                    } else {
                        #expect(value == other)
                    }
                }
            }
            let mixed = try await client.infer(
                input,
                more:
                    ", \"outputs\": [{\"name\": \"verdict\", \"parameters\": {\"binary_data\": true}}, {\"name\": \"score\"}]"
            )
            #expect(
                mixed.outputs["verdict"] == text.outputs["verdict"] && mixed.outputs["score"] == text.outputs["score"]
            )
        }
    }

    @Test("Lengths that do not fit are an error that says which")
    func hostileLengths() async throws {
        let client = try OpenInferenceClient("gray-pad")
        let four: [UInt8] = [1, 2, 3, 4]
        let input = binary("UINT8", [1, 2, 2], 4)
        let header = "Inference-Header-Content-Length"
        for value in ["-1", "", "+5", "1e3", "9223372036854775807", "99999999999999999999", "5, 5"] {
            let answer = try await client.infer(input, data: four, headers: [(header, value)])
            #expect(answer.status == 400 && answer.error.contains(header), "\(value)")
        }
        let cases: [(String, [UInt8]?, Int, String)] = [
            (input, nil, 400, header), (input, [1, 2, 3], 400, "3 bytes follow"),
            (input, four + [5], 400, "5 bytes follow"),
            (binary("UINT8", [1, 2, 2], -4), four, 400, "binary_data_size"),
            (binary("UINT8", [1, 2, 2], .max), four, 400, "binary_data_size"),
            (binary("UINT8", [1, 2, 3], 4), four, 400, "'image' has 4 bytes"),
            (binary("UINT8", [1, 30_000, 30_000], 4), four, 413, "pixels"),
            (binary("UINT8", [1, .max, .max], 4), four, 413, "pixels"),
            (binary("UINT8", [1, 0, 4], 4), four, 400, "extent"),
            (binary("UINT8", [1, -2, -2], 4), four, 400, "extent"),
            (binary("UINT8", [0, 2, 2], 4), four, 400, "1 to 1000"),
            (binary("UINT8", [1001, 2, 2], 4), four, 413, "1 to 1000"),
            (binary("UINT8", [.max, 2, 2], 4), four, 413, "1 to 1000"),
            (binary("UINT8", [4], 4), four, 400, "[N, H, W]"),
            (binary("UINT8", [1, 1, 1, 1], 1), [1], 400, "exactly one"),
            (binary("UINT8", [1, 2, 2, 2], 8), four + four, 400, "exactly one"),
            (binary("BYTES", [1], 4), [0xFF, 0xFF, 0xFF, 0xFF], 400, "element 0 of 'image' has the length 4294967295"),
            (binary("BYTES", [1], 3), [1, 0, 0], 400, "ends in the length of element 0"),
            (binary("BYTES", [1], 8), [0, 0, 0, 0, 0, 0, 0, 0], 400, "1 elements"),
            (binary("BYTES", [2], 4), [0, 0, 0, 0], 400, "2 elements"),
            ("\(input), \"data\": [1, 2, 3, 4]", four, 400, "both"),
            ("\"datatype\": \"UINT8\", \"shape\": [1, 2, 2], \"data\": [1, 2, 3, 4]", four, 400, "4 bytes follow"),
            ("\"datatype\": \"INT64\", \"shape\": [1, 2, 2], \"data\": [1, 2, 3, 4]", nil, 400, "UINT16"),
            ("\"datatype\": \"UINT8\", \"shape\": [1, 2, 2]", nil, 400, "lacks 'data'"),
            (
                "\"datatype\": \"UINT8\", \"shape\": [1, 2, 2], \"parameters\": {\"shared_memory_region\": \"a\"}", nil,
                400, "shared"
            ),
        ]
        for (input, data, status, words) in cases {
            let answer = try await client.infer(input, data: data)
            #expect(answer.status == status && answer.error.contains(words), "\(input): \(answer.error)")
        }
    }

    @Test("A sample that is not valid is an error that names the element")
    func invalidSamples() async throws {
        let client = try OpenInferenceClient("gray-pad")
        func text(_ datatype: String, _ data: String) -> String {
            "\"datatype\": \"\(datatype)\", \"shape\": [2, 1, 2], \"data\": \(data)"
        }
        let cases = [
            (text("FP32", "[0, 1, 0.5, 1.5]"), "element 3 of 'image' (in image 1)"),
            (text("FP32", "[0, -0.1, 0, 0]"), "element 1"), (text("FP32", "[0, 0, 1e400, 0]"), "element 2"),
            (text("FP32", "[0, NaN, 0, 0]"), "NaN"), (text("UINT8", "[0, 256, 0, 0]"), "element 1"),
            (text("UINT8", "[0.5, 0, 0, 0]"), "an integer from 0 to 255"),
            (text("UINT16", "[0, 0, 0, 65536]"), "65535"),
            (text("UINT8", "[0, 0, \"1\", 0]"), "element 2"), (text("UINT8", "[0, 0, 1]"), "4 numbers"),
            (text("UINT8", "[0, 0, 1, 0, 0]"), "4 numbers"), (text("UINT8", "[[0, 0], [1, 0]]"), "nested"),
            (text("UINT8", "[[[0], [0]], [[1], [0]]]"), "nested"),
            (text("UINT8", "[[[0, 0]], [[1, 0]], []]"), "nested"),
            (text("UINT8", "[[[0, 0]], 1, 0]"), "nested"), (text("UINT8", "5"), "nested"),
            (text("UINT8", "[]"), "nested"),
            (text("UINT8", "[[[[0, 0, 1, 0]]]]"), "nested"),
        ]
        for (input, words) in cases {
            let answer = try await client.infer(input)
            #expect(answer.status == 400 && answer.error.contains(words), "\(input): \(answer.error)")
        }
        let numbers: [Float] = [0, 1, .nan, 0]
        let data = littleEndian(numbers.map(\.bitPattern))
        let answer = try await client.infer(binary("FP32", [2, 1, 2], data.count), data: data)
        #expect(answer.status == 400 && answer.error.contains("element 2 of 'image' (in image 1)"))
        // All notations of a number are the same number.
        for white in ["1", "1.0", "10e-1", "0.1E1", "1.00000000000000000000000000000", "100000000000000000000000e-23"] {
            #expect(try await client.infer(text("FP32", "[0, \(white), 0, 0]")).status == 200, "\(white)")
            let above = white.replacing("1", with: "2", maxReplacements: 1)
            #expect(try await client.infer(text("FP32", "[0, \(above), 0, 0]")).status == 400, "\(above)")
        }
    }

    @Test("A version in the path must be that of the loaded model")
    func versions() async throws {
        let client = try OpenInferenceClient("gray-pad")
        let metadata = try await client.get("/v2/models/gray-pad").object
        guard case .array(let versions)? = metadata["versions"], case .string(let version)? = versions.first else {
            Issue.record("expected a version")
            return
        }
        for path in ["", "/ready", "/config", "/stats"] {
            #expect(try await client.get("/v2/models/gray-pad/versions/\(version)\(path)").status == 200)
            let wrong = try await client.get("/v2/models/gray-pad/versions/0\(path)")
            #expect(wrong.status == 404 && wrong.object["error"]?.text?.contains(version) == true)
        }
        let input = "\"datatype\": \"UINT8\", \"shape\": [1, 1, 1], \"data\": [9]"
        #expect(try await client.infer(input, version: "/versions/\(version)").status == 200)
        #expect(try await client.infer(input, version: "/versions/0").status == 404)
    }

    @Test("Statistics count requests and images; the index lists the model; other extensions are explained")
    func extensions() async throws {
        let client = try OpenInferenceClient("gray-pad")
        let input = "\"datatype\": \"UINT8\", \"shape\": [3, 1, 1], \"data\": [9, 8, 7]"
        #expect(try await client.infer(input).status == 200)
        #expect(try await client.infer("\"datatype\": \"UINT8\"").status == 400)
        for path in ["/v2/models/stats", "/v2/models/gray-pad/stats"] {
            guard case .array(let models)? = try await client.get(path).object["model_stats"], let model = models.first
            else {
                Issue.record("expected statistics")
                return
            }
            let totals = model["inference_stats"]
            #expect(model["name"] == .string("gray-pad") && model["inference_count"] == .number(3))
            #expect(totals["success"]["count"] == .number(1) && totals["fail"]["count"] == .number(1))
            #expect(totals["compute_infer"]["count"] == .number(3) && totals["compute_infer"]["ns"] != .number(0))
        }
        guard case .array(let index) = try await client.get("/v2/repository/index", method: "POST").object else {
            Issue.record("expected a list")
            return
        }
        #expect(index.count == 1 && index[0]["name"] == .string("gray-pad") && index[0]["state"] == .string("READY"))
        #expect(try await client.get("/v2/repository/models/gray-pad/load", method: "POST").status == 200)
        for (method, path, words) in [
            ("POST", "/v2/repository/models/gray-pad/unload", "unloaded"), ("GET", "/v2/logging", "log settings"),
            ("GET", "/v2/trace/setting", "trace"), ("GET", "/v2/models/gray-pad/trace/setting", "trace"),
            ("POST", "/v2/systemsharedmemory/region/a/register", "shared memory"),
            ("GET", "/v2/cudasharedmemory/status", "shared memory"), ("GET", "/v2/other", "no such path"),
        ] {
            let answer = try await client.get(path, method: method)
            #expect(answer.status == 404 && answer.object["error"]?.text?.contains(words) == true, "\(path)")
        }
    }
}
