import HTTP

extension OpenInference {
    /// An inference request: an ID, images in base64, and the names of the requested outputs.
    package struct Request {
        package var id: String?
        package var images: [EncodedImage] = []
        package var outputs: [String]?

        private var hasInputs = false
        private var shape: [Int]?
        private var name: String?
        private var datatype: String?
        private var hasData = false

        /// Maximum bytes of an ID or a name.
        private static let textLimit = 1024
        /// Maximum number of requested outputs.
        private static let outputLimit = 16

        /// Parses the request in `body`; its images are not decoded yet.
        ///
        /// Lengths and counts are checked while parsing, so that content beyond the limits uses no memory.
        package init(
            parsing body: [UInt8],
            isCancelled: @escaping () -> Bool = { false }
        ) throws(ServiceError) {
            var reader = JSONReader(body[...], isCancelled: isCancelled)
            let place = "the request"
            try reader.object(orThrow: { Self.problem($0, place) }) { (member, reader) throws(ServiceError) in
                switch member {
                case "id":
                    id = try Self.value(&reader, "id") { (reader) throws(JSONError) in
                        guard try reader.kind() == .null else { return try reader.string(maximumBytes: Self.textLimit) }
                        try reader.skip()
                        return nil
                    }
                case "inputs": try readInputs(&reader)
                case "outputs": try readOutputs(&reader)
                default: try Self.skip(&reader, place)
                }
            }
            try Self.value(&reader, place) { (reader) throws(JSONError) in try reader.end() }
            try check()
        }

        private mutating func readInputs(_ reader: inout JSONReader) throws(ServiceError) {
            guard !hasInputs else { throw ServiceError(400, "'inputs' appears twice") }
            hasInputs = true
            try reader.array(orThrow: { Self.problem($0, "inputs") }) { (index, reader) throws(ServiceError) in
                guard index == 0 else { throw Self.oneInput }
                try readInput(&reader)
            }
        }

        private mutating func readInput(_ reader: inout JSONReader) throws(ServiceError) {
            try reader.object(orThrow: { Self.problem($0, "inputs.0") }) { (member, reader) throws(ServiceError) in
                switch member {
                case "name": name = try Self.text(&reader, "inputs.0.name")
                case "datatype": datatype = try Self.text(&reader, "inputs.0.datatype")
                case "shape": try readShape(&reader)
                case "data": try readData(&reader)
                default: try Self.skip(&reader, "inputs.0")
                }
            }
        }

        private mutating func readShape(_ reader: inout JSONReader) throws(ServiceError) {
            var extents: [Int] = []
            let place = "inputs.0.shape"
            try reader.array(orThrow: { Self.problem($0, place) }) { (index, reader) throws(ServiceError) in
                guard index < 8 else { throw ServiceError(400, "\(place) has more than 8 extents") }
                extents.append(
                    try Self.value(&reader, place) { (reader) throws(JSONError) in try reader.integer() }
                )
            }
            shape = extents
        }

        private mutating func readData(_ reader: inout JSONReader) throws(ServiceError) {
            guard !hasData else { throw ServiceError(400, "inputs.0.data appears twice") }
            hasData = true
            let limit = BatchInput.limit
            try reader.array(orThrow: { Self.problem($0, "inputs.0.data") }) { (index, reader) throws(ServiceError) in
                guard index < limit else { throw ServiceError(413, "'image' must have 1 to \(limit) images") }
                let text = try Self.value(&reader, "inputs.0.data.\(index)") { (reader) throws(JSONError) in
                    try reader.stringToken()
                }
                images.append(.base64(text))
            }
        }

        private mutating func readOutputs(_ reader: inout JSONReader) throws(ServiceError) {
            var names: [String] = []
            try reader.array(orThrow: { Self.problem($0, "outputs") }) { (index, reader) throws(ServiceError) in
                let limit = Self.outputLimit
                guard index < limit else { throw ServiceError(400, "more than \(limit) outputs are requested") }
                let place = "outputs.\(index)"
                var name: String?
                try reader.object(orThrow: { Self.problem($0, place) }) { (member, reader) throws(ServiceError) in
                    guard member == "name" else { return try Self.skip(&reader, place) }
                    name = try Self.text(&reader, "\(place).name")
                }
                guard let name else { throw ServiceError(400, "\(place) lacks 'name'") }
                names.append(name)
            }
            outputs = names
        }

        private func check() throws(ServiceError) {
            guard hasInputs else { throw ServiceError(400, "the request lacks 'inputs'") }
            guard let name, name == "image" else { throw Self.oneInput }
            guard datatype == "BYTES" else {
                throw ServiceError(400, "'image' must have the datatype BYTES (PNGs in base64)")
            }
            guard hasData else { throw ServiceError(400, "inputs.0 lacks 'data'") }
            guard shape == [images.count] || shape == [images.count, 1] else {
                throw ServiceError(400, "the shape of 'image' does not match its \(images.count) images")
            }
            guard !images.isEmpty else {
                throw ServiceError(400, "'image' must have 1 to \(BatchInput.limit) images")
            }
        }

        private static var oneInput: ServiceError { ServiceError(400, "expected one input named 'image'") }

        private static func text(_ reader: inout JSONReader, _ place: String) throws(ServiceError) -> String {
            try value(&reader, place) { (reader) throws(JSONError) in try reader.string(maximumBytes: textLimit) }
        }

        private static func skip(_ reader: inout JSONReader, _ place: String) throws(ServiceError) {
            try value(&reader, place) { (reader) throws(JSONError) in try reader.skip() }
        }

        private static func value<Value>(
            _ reader: inout JSONReader,
            _ place: String,
            _ read: (inout JSONReader) throws(JSONError) -> Value
        ) throws(ServiceError) -> Value {
            do { return try read(&reader) } catch { throw problem(error, place) }
        }

        /// `place` contains only indices and names of the protocol, never text from the client.
        private static func problem(_ error: JSONError, _ place: String) -> ServiceError {
            switch error {
            case .invalid: ServiceError(400, "the body is not valid JSON")
            case .tooDeep: ServiceError(400, "the body nests more than \(JSONReader.maximumDepth) arrays and objects")
            case .wrongType: ServiceError(400, "\(place) has the wrong type")
            case .tooLong: ServiceError(400, "\(place) is longer than \(textLimit) bytes")
            case .cancelled: ServiceError(503, "the request was cancelled")
            }
        }
    }
}
