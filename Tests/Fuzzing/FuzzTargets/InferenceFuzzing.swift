import Foundation
import InferenceService

extension FuzzTarget {
    /// Bodies of the Open Inference Protocol: parsed images can be written, as binary data and as JSON, and read again.
    ///
    /// A zero byte, which a JSON text cannot contain, ends the text and starts the binary data.
    static func runInference(_ bytes: [UInt8]) {
        var (body, headerLength) = (bytes, Int?.none)
        if let zero = bytes.firstIndex(of: 0) {
            body.remove(at: zero)
            headerLength = zero
        }
        for channels in [1, 3] {
            let limits = OpenInference.Limits(channels: channels, maximumPixels: 1 << 16)
            guard
                let images = try? OpenInference.Request(parsing: body, headerLength: headerLength, limits: limits)
                    .images
            else { continue }
            require((1...1000).contains(images.count), "there are 1 to 1000 images")
            let files = images.compactMap { image in
                if case .file(let file) = image { try? Array(file.bytes()) } else { nil }
            }
            let samples = images.compactMap { image in
                if case .samples(let samples) = image { samples } else { nil }
            }
            if let first = samples.first {
                require(samples.count == images.count, "all images are samples")
                checkSamples(samples, first, limits)
            } else if files.count == images.count {
                checkFiles(files, limits)
            }
        }
    }

    private static func checkFiles(_ files: [[UInt8]], _ limits: OpenInference.Limits) {
        let input = "{\"name\":\"image\",\"datatype\":\"BYTES\",\"shape\":[\(files.count)]"
        let texts = files.map { "\"\(Data($0).base64EncodedString())\"" }.joined(separator: ",")
        var data: [UInt8] = []
        for file in files { OpenInference.BinaryElements.append(file, to: &data) }
        let forms: [(String, [UInt8]?)] = [
            ("\(input),\"data\":[\(texts)]}", nil),
            ("\(input),\"parameters\":{\"binary_data_size\":\(data.count)}}", data),
        ]
        for (input, data) in forms {
            let again = must("a written body can be read again") {
                try read(input, data, limits).map { image -> [UInt8] in
                    if case .file(let file) = image { try Array(file.bytes()) } else { [] }
                }
            }
            require(again == files, "images are the same when read again")
        }
    }

    private static func checkSamples(
        _ images: [SampleImage],
        _ first: SampleImage,
        _ limits: OpenInference.Limits
    ) {
        let values = images.map(rows)
        for row in values {
            require(row.count == first.height * first.width * first.channels, "all rows are there")
            require(row.allSatisfy { (0...1).contains($0) }, "samples are from 0 to 1")
        }
        let data = values.joined().flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }
        // Gray has three axes. In the other case both axes may have three elements, which is refused.
        let isGray = first.channels == 1
        guard isGray || first.height != 3 else { return }
        let shape = [images.count, first.height, first.width] + (isGray ? [] : [first.channels])
        let input =
            "{\"name\":\"image\",\"datatype\":\"FP32\",\"shape\":\(shape),"
            + "\"parameters\":{\"binary_data_size\":\(data.count)}}"
        let again = must("written samples can be read again") {
            try read(input, data, limits).map { image -> [Float] in
                if case .samples(let samples) = image { rows(samples) } else { [] }
            }
        }
        require(again == values, "samples are the same when read again")
    }

    private static func rows(_ image: SampleImage) -> [Float] {
        var values: [Float] = []
        image.forEachRow { row, _ in
            values += row
            return true
        }
        return values
    }

    private static func read(
        _ input: String,
        _ data: [UInt8]?,
        _ limits: OpenInference.Limits
    ) throws -> [OpenInference.InputImage] {
        let text = Array("{\"inputs\":[\(input)]}".utf8)
        let length = data.map { _ in text.count }
        return try OpenInference.Request(parsing: text + (data ?? []), headerLength: length, limits: limits).images
    }
}
