import DIA
import HTTP
import ModelFile

extension OpenInference {
    /// A line of the repository index (Triton's model repository extension).
    struct IndexEntry: Encodable {
        let name, version, state, reason: String

        init(_ model: Model.Information, isReady: Bool) {
            (name, version) = (model.manifest.name, model.manifest.version)
            state = isReady ? "READY" : "UNAVAILABLE"
            reason = isReady ? "" : "the model failed its self-check"
        }
    }

    /// Model configuration (Triton's model configuration extension).
    struct ModelConfiguration: Encodable {
        struct Tensor: Encodable {
            let name, type: String
            /// -1 for the number of images.
            let extents = [-1]

            enum CodingKeys: String, CodingKey {
                case name
                case type = "data_type"
                case extents = "dims"
            }

            init(_ tensor: OpenInference.Tensor) {
                name = tensor.name
                type = tensor.datatype == "BYTES" ? "TYPE_STRING" : "TYPE_\(tensor.datatype)"
            }
        }

        let name: String
        let platform = "dia"
        let backend = "dia"
        /// Zero because the shapes include the number of images.
        let maximumBatch = 0
        let inputs, outputs: [Tensor]

        enum CodingKeys: String, CodingKey {
            case name, platform, backend
            case maximumBatch = "max_batch_size"
            case inputs = "input"
            case outputs = "output"
        }

        init(_ model: Model.Information) {
            let metadata = Metadata(model)
            name = metadata.name
            inputs = metadata.inputs.map(Tensor.init)
            outputs = metadata.outputs.map(Tensor.init)
        }
    }

    /// Throws if `body`, of a request to load a model, has a configuration or files.
    static func checkLoad(_ body: [UInt8]) throws(ServiceError) {
        guard !body.isEmpty else { return }
        var reader = JSONReader(body[...])
        let place = "the request"
        try reader.object(orThrow: { problem($0, place) }) { (member, reader) throws(ServiceError) in
            guard member == "parameters" else { return try skip(&reader, place) }
            try reader.object(orThrow: { problem($0, member) }) { (member, reader) throws(ServiceError) in
                guard member != "config", !member.hasPrefix("file:") else {
                    throw ServiceError(
                        400,
                        "a model is loaded from its directory on the server; 'config' and 'file:' are not supported"
                    )
                }
                try skip(&reader, "parameters")
            }
        }
        try value(&reader, place) { (reader) throws(JSONError) in try reader.end() }
    }

    /// Returns what to do instead of calling `path`, of an extension of the protocol that is not supported; nil for
    /// other paths.
    static func advice(for path: String) -> String? {
        let parts = path.split(separator: "/")
        guard parts.first == "v2" else { return nil }
        switch parts.dropFirst().first {
        case "systemsharedmemory", "cudasharedmemory", "tpusharedmemory":
            return "shared memory is not supported; send tensors in the request"
        case "logging": return "log settings cannot be changed by requests; they are options of dia-server"
        case "repository" where parts.last == "unload":
            return "models cannot be unloaded; remove the model's directory and restart the server"
        case "trace": return "trace settings are not supported; send a traceparent header, which is logged"
        case "models" where parts.suffix(2) == ["trace", "setting"]:
            return "trace settings are not supported; send a traceparent header, which is logged"
        default: return nil
        }
    }
}
