import DIA
import HTTP

extension OpenInference {
    /// An element of an output.
    enum Element: Encodable {
        /// A number; null if there is none.
        case number(Float?)
        case boolean(Bool)
        case text(String)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .boolean(let value): try container.encode(value)
            case .text(let text): try container.encode(text)
            }
        }

        /// Appends the element to binary data: little-endian, NaN if there is no number.
        func append(to data: inout [UInt8]) {
            switch self {
            case .number(let number):
                let bits = (number ?? .nan).bitPattern
                for shift in stride(from: UInt32(0), to: 32, by: 8) {
                    data.append(UInt8(truncatingIfNeeded: bits >> shift))
                }
            case .boolean(let value): data.append(value ? 1 : 0)
            case .text(let text): BinaryElements.append(text.utf8, to: &data)
            }
        }
    }

    /// Response to an inference request.
    struct Answer: Encodable {
        /// An output with its data, or with the size of its binary data.
        struct Values: Encodable {
            struct Parameters: Encodable {
                let size: Int

                enum CodingKeys: String, CodingKey {
                    case size = "binary_data_size"
                }
            }

            let name, datatype: String
            let shape: [Int]
            let data: [Element]?
            let parameters: Parameters?
        }

        let modelName, modelVersion: String
        let id: String?
        let parameters = ["notice": Model.notice]
        private(set) var outputs: [Values] = []
        /// Data of the binary outputs.
        private var binary: [UInt8]?

        enum CodingKeys: String, CodingKey {
            case id, parameters, outputs
            case modelName = "model_name"
            case modelVersion = "model_version"
        }

        init(modelName: String, modelVersion: String, id: String?) {
            (self.modelName, self.modelVersion, self.id) = (modelName, modelVersion, id)
        }

        /// Appends an output with one element per image.
        mutating func append(_ output: Output, _ elements: [Element], isBinary: Bool) {
            var parameters: Values.Parameters?
            if isBinary {
                var data: [UInt8] = []
                for element in elements { element.append(to: &data) }
                parameters = Values.Parameters(size: data.count)
                binary = (binary ?? []) + data
            }
            outputs.append(
                Values(
                    name: output.rawValue,
                    datatype: output.datatype,
                    shape: [elements.count],
                    data: isBinary ? nil : elements,
                    parameters: parameters
                )
            )
        }

        /// The response: JSON, followed by the data of binary outputs if there are any.
        var response: Response {
            let json = JSON.encode(self)
            guard let binary else { return Response(200, contentType: "application/json", body: json) }
            var response = Response(200, contentType: "application/octet-stream", body: json + binary)
            response.headers.append(Body.headerName, String(json.count))
            return response
        }
    }
}
