import FoundationEssentials

/// What the decoding process is asked to do with a file; a message of fixed size, followed by nothing.
struct DecodingRequest: Codable, Sendable {
    var options: RenderingOptions
    /// Whether only the metadata are wanted.
    var metadataOnly: Bool
    /// Whether the attributes of the patient and the study are wanted too.
    var includesStudy = false
    var limits: DecodingLimits

    /// The size of a message: JSON, padded with spaces.
    static let size = 1024

    /// The message.
    func message() throws -> [UInt8] {
        let json = try [UInt8](JSONEncoder().encode(self))
        precondition(json.count <= Self.size, "a request has \(json.count) bytes")
        return json + [UInt8](repeating: UInt8(ascii: " "), count: Self.size - json.count)
    }

    /// Reads a message.
    init(message: [UInt8]) throws { self = try JSONDecoder().decode(Self.self, from: Data(message)) }

    init(options: RenderingOptions, metadataOnly: Bool, includesStudy: Bool = false, limits: DecodingLimits) {
        (self.options, self.metadataOnly, self.limits) = (options, metadataOnly, limits)
        self.includesStudy = includesStudy
    }
}
