import HTTP

extension OpenInference {
    /// What a request is checked against.
    package struct Limits: Sendable {
        /// Number of channels of the model.
        let channels: Int
        let maximumPixels: Int

        /// Creates the limits of a model of `channels` channels.
        package init(channels: Int, maximumPixels: Int) {
            self.channels = channels
            self.maximumPixels = maximumPixels
        }
    }

    /// A requested output.
    struct RequestedOutput {
        let name: String
        /// Whether its data is binary.
        let isBinary: Bool
    }

    /// An inference request: an ID, images, and the names of the requested outputs.
    package struct Request {
        package private(set) var id: String?
        package private(set) var images: [InputImage] = []
        /// How samples become gray levels.
        private(set) var rendering = Rendering.none
        /// The requested outputs; nil for all.
        private(set) var outputs: [RequestedOutput]?
        /// Whether outputs are binary if `outputs` is nil.
        var areOutputsBinary: Bool { parameters?.areOutputsBinary ?? false }

        private var parameters: Parameters?
        private var input: Input?
        private var hasInputs = false
        private var requested: [(name: String, isBinary: Bool?)]?

        /// Maximum number of requested outputs.
        private static let outputLimit = 16

        /// Parses the request in `body`, of which the JSON text has `headerLength` bytes, or all; its images are not
        /// decoded yet.
        ///
        /// Lengths and counts are checked while parsing, so that content beyond the limits uses no memory.
        package init(
            parsing body: [UInt8],
            headerLength: Int? = nil,
            limits: Limits,
            isCancelled: @escaping () -> Bool = { false }
        ) throws(ServiceError) {
            let parts = try Body(body, headerLength: headerLength)
            var reader = JSONReader(parts.json, isCancelled: isCancelled)
            let place = "the request"
            try reader.object(orThrow: { OpenInference.problem($0, place) }) { (member, reader) throws(ServiceError) in
                switch member {
                case "id":
                    id = try OpenInference.readNull(&reader, "id") ? nil : OpenInference.readText(&reader, "id")
                case "parameters":
                    guard parameters == nil else { throw ServiceError(400, "'parameters' appears twice") }
                    parameters = try Parameters(&reader, "parameters")
                case "inputs": try readInputs(&reader)
                case "outputs": try readOutputs(&reader)
                default: try OpenInference.skip(&reader, place)
                }
            }
            try OpenInference.value(&reader, place) { (reader) throws(JSONError) in try reader.end() }
            guard hasInputs else { throw ServiceError(400, "the request lacks 'inputs'") }
            guard let input else { throw OpenInference.oneInput }
            rendering = try Self.rendering(input.parameters?.rendering ?? [], parameters?.rendering ?? [])
            let isBinary = areOutputsBinary
            outputs = requested?.map { RequestedOutput(name: $0.name, isBinary: $0.isBinary ?? isBinary) }
            images = try input.images(parts.binary, limits, isCancelled: isCancelled)
        }

        private mutating func readInputs(_ reader: inout JSONReader) throws(ServiceError) {
            guard !hasInputs else { throw ServiceError(400, "'inputs' appears twice") }
            hasInputs = true
            try reader.array(orThrow: { OpenInference.problem($0, "inputs") }) { (index, reader) throws(ServiceError) in
                guard index == 0 else { throw OpenInference.oneInput }
                input = try Input(&reader)
            }
        }

        private mutating func readOutputs(_ reader: inout JSONReader) throws(ServiceError) {
            // Some clients send null for an absent member.
            guard try !OpenInference.readNull(&reader, "outputs") else { return }
            var outputs: [(name: String, isBinary: Bool?)] = []
            try reader.array(orThrow: { OpenInference.problem($0, "outputs") }) {
                (index, reader) throws(ServiceError) in
                let limit = Self.outputLimit
                guard index < limit else { throw ServiceError(400, "more than \(limit) outputs are requested") }
                let place = "outputs.\(index)"
                var (name, parameters) = (String?.none, Parameters?.none)
                try reader.object(orThrow: { OpenInference.problem($0, place) }) {
                    (member, reader) throws(ServiceError) in
                    switch member {
                    case "name": name = try OpenInference.readText(&reader, "\(place).name")
                    case "parameters": parameters = try Parameters(&reader, "\(place).parameters")
                    default: try OpenInference.skip(&reader, place)
                    }
                }
                guard let name else { throw ServiceError(400, "\(place) lacks 'name'") }
                outputs.append((name, parameters?.isBinary))
            }
            requested = outputs
        }

        /// Returns the rendering according to the parameters of the input, which override those of the request.
        private static func rendering(
            _ own: [(name: String, value: String)],
            _ common: [(name: String, value: String)]
        ) throws(ServiceError) -> Rendering {
            let inherited = common.filter { pair in !own.contains { $0.name == pair.name } }
            return try Rendering(QueryParameters(own + inherited, allowed: Rendering.names))
        }
    }

    static var oneInput: ServiceError { ServiceError(400, "expected one input named 'image'") }
}
