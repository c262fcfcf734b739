extension OpenInference {
    /// An image of a request, not decoded yet.
    package enum InputImage: Sendable {
        /// A PNG file.
        case file(EncodedImage)
        /// Samples of a tensor.
        case samples(SampleImage)
    }

    /// The input tensor of a request: its description, and its data in the JSON text or in the binary part of the body.
    struct Input {
        private var name: String?
        private var datatype: String?
        private var shape: [Int]?
        private(set) var parameters: Parameters?
        /// The JSON text of the data.
        private var text: ArraySlice<UInt8>?

        private static let place = "inputs.0"

        /// Reads the object at the reader's position; its data is only checked to be valid JSON.
        init(_ reader: inout JSONReader) throws(ServiceError) {
            let place = Self.place
            try reader.object(orThrow: { OpenInference.problem($0, place) }) { (member, reader) throws(ServiceError) in
                switch member {
                case "name": name = try OpenInference.readText(&reader, "\(place).name")
                case "datatype": datatype = try OpenInference.readText(&reader, "\(place).datatype")
                case "shape": shape = try Self.shape(&reader)
                case "parameters":
                    guard parameters == nil else { throw ServiceError(400, "\(place).parameters appears twice") }
                    parameters = try Parameters(&reader, "\(place).parameters")
                case "data":
                    guard text == nil else { throw ServiceError(400, "\(place).data appears twice") }
                    do throws(JSONError) {
                        text = try reader.text()
                    } catch {
                        guard error == .invalid else { throw OpenInference.problem(error, "\(place).data") }
                        throw ServiceError(
                            400,
                            "the body is not valid JSON, in or after 'data' of \(place); numbers must be finite: JSON has "
                                + "no NaN and no Infinity"
                        )
                    }
                default: try OpenInference.skip(&reader, place)
                }
            }
        }

        private static func shape(_ reader: inout JSONReader) throws(ServiceError) -> [Int] {
            var extents: [Int] = []
            let place = "\(place).shape"
            try reader.array(orThrow: { OpenInference.problem($0, place) }) { (index, reader) throws(ServiceError) in
                guard index < 8 else { throw ServiceError(400, "\(place) has more than 8 extents") }
                extents.append(try OpenInference.readInteger(&reader, place))
            }
            return extents
        }

        /// Returns the images; `binary` is the binary part of the body, nil if there is none.
        func images(
            _ binary: ArraySlice<UInt8>?,
            _ limits: Limits,
            isCancelled: @escaping () -> Bool
        ) throws(ServiceError) -> [InputImage] {
            guard name == "image" else { throw OpenInference.oneInput }
            guard let datatype else { throw ServiceError(400, "\(Self.place) lacks 'datatype'") }
            guard let shape else { throw ServiceError(400, "\(Self.place) lacks 'shape'") }
            let data = try data(binary)
            if datatype == "BYTES" {
                let files = try Self.files(data, count: Self.count(shape), isCancelled)
                return files.map { .file($0) }
            }
            guard let type = SampleImage.SampleType(rawValue: datatype) else {
                throw ServiceError(
                    400,
                    "'image' must have the datatype BYTES (PNG files), UINT8, UINT16, or FP32 in [0, 1]"
                )
            }
            let layout = try SampleLayout(shape, channels: limits.channels, maximumPixels: limits.maximumPixels)
            let samples: [SampleImage]
            switch data {
            case .binary(let bytes): samples = try layout.images(type, bytes, isCancelled)
            case .text(let text): samples = try layout.images(type, text: text, isCancelled)
            }
            return samples.map { .samples($0) }
        }

        private enum Content {
            case binary(ArraySlice<UInt8>)
            case text(ArraySlice<UInt8>)
        }

        /// Returns where the data is; checks the size of binary data.
        private func data(_ binary: ArraySlice<UInt8>?) throws(ServiceError) -> Content {
            guard let size = parameters?.binaryDataSize else {
                guard let text else { throw ServiceError(400, "\(Self.place) lacks 'data'") }
                if let binary, !binary.isEmpty {
                    throw ServiceError(
                        400,
                        "\(binary.count) bytes follow the JSON text, but 'image' has no 'binary_data_size'"
                    )
                }
                return .text(text)
            }
            guard text == nil else {
                throw ServiceError(400, "\(Self.place) has both 'data' and 'binary_data_size'")
            }
            guard let binary else {
                throw ServiceError(
                    400,
                    "'image' has 'binary_data_size', which requires the header \(Body.headerName)"
                )
            }
            guard size == binary.count else {
                throw ServiceError(
                    400,
                    "'binary_data_size' of 'image' is \(size), but \(binary.count) bytes follow the JSON text"
                )
            }
            return .binary(binary)
        }

        /// Returns the number of images in a tensor of files.
        private static func count(_ shape: [Int]) throws(ServiceError) -> Int {
            guard let count = shape.first, shape.count == 1 || (shape.count == 2 && shape[1] == 1) else {
                throw ServiceError(400, "the shape of 'image' must be [N] or [N, 1] for the datatype BYTES")
            }
            try SampleLayout.check(count: count)
            return count
        }

        private static func files(
            _ data: Content,
            count: Int,
            _ isCancelled: @escaping () -> Bool
        ) throws(ServiceError) -> [EncodedImage] {
            let files: [EncodedImage]
            switch data {
            case .binary(let bytes): files = try BinaryElements.split(bytes, maximumCount: count).map { .png($0) }
            case .text(let text):
                var (reader, texts) = (JSONReader(text, isCancelled: isCancelled), [EncodedImage]())
                try readTexts(&reader, into: &texts, maximumCount: count, depth: 0)
                files = texts
            }
            guard files.count == count else { throw BinaryElements.wrongCount(count) }
            return files
        }

        /// Reads an array of strings, or of arrays of strings.
        private static func readTexts(
            _ reader: inout JSONReader,
            into texts: inout [EncodedImage],
            maximumCount: Int,
            depth: Int
        ) throws(ServiceError) {
            let place = "\(place).data"
            try reader.array(orThrow: { OpenInference.problem($0, place) }) { (_, reader) throws(ServiceError) in
                let kind = try OpenInference.value(&reader, place) { (reader) throws(JSONError) in try reader.kind() }
                if kind == .array, depth == 0 {
                    return try readTexts(&reader, into: &texts, maximumCount: maximumCount, depth: 1)
                }
                guard texts.count < maximumCount else { throw BinaryElements.wrongCount(maximumCount) }
                let text = try OpenInference.value(&reader, "\(place).\(texts.count)") { (reader) throws(JSONError) in
                    try reader.stringToken()
                }
                texts.append(.base64(text))
            }
        }
    }
}
