extension OpenInference {
    /// The known members of a `parameters` object; others are ignored, because clients add their own.
    struct Parameters {
        /// Rendering parameters with their values as text, in order of appearance.
        private(set) var rendering: [(name: String, value: String)] = []
        /// Bytes of an input's data in the binary part of the body.
        private(set) var binaryDataSize: Int?
        /// Whether an output is sent as binary data; nil if not specified.
        private(set) var isBinary: Bool?
        /// Whether outputs are sent as binary data unless they specify otherwise.
        private(set) var areOutputsBinary: Bool?

        /// Maximum bytes of a value.
        private static let valueLimit = 64

        /// Reads the object at the reader's position, the value of `place`.
        init(_ reader: inout JSONReader, _ place: String) throws(ServiceError) {
            guard try !OpenInference.readNull(&reader, place) else { return }
            try reader.object(orThrow: { OpenInference.problem($0, place) }) { (member, reader) throws(ServiceError) in
                switch member {
                case "binary_data_size": binaryDataSize = try OpenInference.readInteger(&reader, "\(place).\(member)")
                case "binary_data": isBinary = try Self.boolean(&reader, "\(place).\(member)")
                case "binary_data_output": areOutputsBinary = try Self.boolean(&reader, "\(place).\(member)")
                case "shared_memory_region":
                    throw ServiceError(400, "shared memory is not supported; send the data in the request")
                case "classification":
                    throw ServiceError(
                        400,
                        "\(place).classification is not supported; omit it (class_count in some clients)"
                    )
                case _ where Rendering.names.contains(member):
                    guard let value = try Self.text(&reader, "\(place).\(member)") else { return }
                    rendering.append((member, value))
                default: try OpenInference.skip(&reader, "parameters")
                }
            }
        }

        /// Reads a string or a number as text; nil for null.
        private static func text(_ reader: inout JSONReader, _ place: String) throws(ServiceError) -> String? {
            try OpenInference.value(&reader, place) { (reader) throws(JSONError) in
                switch try reader.kind() {
                case .null:
                    try reader.skip()
                    return nil
                case .string: return try reader.string(maximumBytes: valueLimit)
                case .number:
                    let text = try reader.text()
                    guard text.count <= valueLimit else { throw .tooLong }
                    return String(decoding: text, as: UTF8.self)
                case .object, .array, .boolean: throw .wrongType
                }
            }
        }

        private static func boolean(_ reader: inout JSONReader, _ place: String) throws(ServiceError) -> Bool {
            try OpenInference.value(&reader, place) { (reader) throws(JSONError) in
                guard try reader.kind() == .boolean else { throw .wrongType }
                return try reader.text().elementsEqual("true".utf8)
            }
        }
    }
}
