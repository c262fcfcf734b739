import Foundation
import ModelFile

extension FuzzTarget {
    /// Weight files: an accepted header is JSON, and parsed tensors can be written and read again.
    static func runSafetensors(_ bytes: [UInt8]) {
        guard let file = try? Safetensors(parsing: bytes, file: "f") else { return }
        let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = Data(bytes[8..<8 + length])
        let members = must("a header is JSON") { try JSONDecoder().decode([String: JSONValue].self, from: header) }
        require(Set(members.keys) == Set(file.names).union(members.keys.filter { $0 == "__metadata__" }), "same names")
        var tensors: [NamedTensor] = []
        for name in file.names {
            guard let shape = file.shape(of: name) else { fatalError("broken: a tensor has no shape") }
            guard case .object(let member)? = members[name],
                member["shape"] == .array(shape.map { .number(Double($0)) })
            else { fatalError("broken: the shape of \(name) differs from the header") }
            guard let values = try? file.floats(name) else { continue }
            require(values.count == shape.reduce(1, *), "a tensor has as many values as its shape requires")
            tensors.append(NamedTensor(name: name, shape: shape, values: values))
        }
        let again = must("a written file can be read again") { () throws(ModelFileError) in
            let written = try SafetensorsEncoder.encode(tensors, metadata: file.metadata, file: "f")
            return try Safetensors(parsing: written, file: "f")
        }
        require(again.names == tensors.map(\.name) && again.metadata == file.metadata, "names survive a round trip")
        for tensor in tensors {
            let values = must("written values can be read") { try again.floats(tensor.name, shape: tensor.shape) }
            require(values == tensor.values, "values survive a round trip")
        }
    }
}
