/// Reading of JSON values with errors for the client.
///
/// A place contains only indices and names of the protocol, never text from the client.
extension OpenInference {
    /// Maximum bytes of an ID or a name.
    private static let textLimit = 1024

    static func readText(_ reader: inout JSONReader, _ place: String) throws(ServiceError) -> String {
        try value(&reader, place) { (reader) throws(JSONError) in try reader.string(maximumBytes: textLimit) }
    }

    static func readInteger(_ reader: inout JSONReader, _ place: String) throws(ServiceError) -> Int {
        try value(&reader, place) { (reader) throws(JSONError) in try reader.integer() }
    }

    /// Skips null; returns false if the next value is another one.
    static func readNull(_ reader: inout JSONReader, _ place: String) throws(ServiceError) -> Bool {
        try value(&reader, place) { (reader) throws(JSONError) in
            guard try reader.kind() == .null else { return false }
            try reader.skip()
            return true
        }
    }

    static func skip(_ reader: inout JSONReader, _ place: String) throws(ServiceError) {
        try value(&reader, place) { (reader) throws(JSONError) in try reader.skip() }
    }

    static func value<Value>(
        _ reader: inout JSONReader,
        _ place: String,
        _ read: (inout JSONReader) throws(JSONError) -> Value
    ) throws(ServiceError) -> Value {
        do { return try read(&reader) } catch { throw problem(error, place) }
    }

    static func problem(_ error: JSONError, _ place: String) -> ServiceError {
        switch error {
        case .invalid: ServiceError(400, "the body is not valid JSON")
        case .tooDeep: ServiceError(400, "the body nests more than \(JSONReader.maximumDepth) arrays and objects")
        case .wrongType: ServiceError(400, "\(place) has the wrong type")
        case .tooLong: ServiceError(400, "\(place) is longer than \(textLimit) bytes")
        case .cancelled: ServiceError(503, "the request was cancelled")
        }
    }
}
