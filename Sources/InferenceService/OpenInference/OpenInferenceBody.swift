import HTTP

extension OpenInference {
    /// A body of the binary tensor data extension: a JSON text, followed by the data of the tensors.
    struct Body {
        /// Name of the header with the length of the JSON text.
        static let headerName = "Inference-Header-Content-Length"

        /// The JSON text.
        let json: ArraySlice<UInt8>
        /// What follows the text; nil without the header.
        let binary: ArraySlice<UInt8>?

        /// Returns the length of the JSON text according to `headers`; nil without the header.
        static func headerLength(_ headers: HeaderFields) throws(ServiceError) -> Int? {
            guard headers.contains(headerName) else { return nil }
            guard let text = headers[headerName], text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let length = Int(text)
            else { throw ServiceError(400, "\(headerName) must be a number of bytes, once") }
            return length
        }

        /// Splits `body` after `headerLength` bytes.
        init(_ body: [UInt8], headerLength: Int?) throws(ServiceError) {
            guard let headerLength else {
                (json, binary) = (body[...], nil)
                return
            }
            guard (0...body.count).contains(headerLength) else {
                throw ServiceError(
                    400,
                    "\(Self.headerName) is \(headerLength), but the body has only \(body.count) bytes"
                )
            }
            (json, binary) = (body[..<headerLength], body[headerLength...])
        }
    }

    /// Elements of the datatype BYTES in binary data: a length of four bytes, little-endian, and that many bytes, each.
    package enum BinaryElements {
        /// Returns the elements as slices of `data`; stops with an error if there are more than `maximumCount`.
        static func split(_ data: ArraySlice<UInt8>, maximumCount: Int) throws(ServiceError) -> [ArraySlice<UInt8>] {
            var elements: [ArraySlice<UInt8>] = []
            var rest = data
            while !rest.isEmpty {
                let index = elements.count
                guard index < maximumCount else { throw wrongCount(maximumCount) }
                guard rest.count >= 4 else {
                    throw ServiceError(400, "the binary data of 'image' ends in the length of element \(index)")
                }
                let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(4)
                guard length <= rest.count else {
                    throw ServiceError(
                        400,
                        "element \(index) of 'image' has the length \(length), but \(rest.count) bytes follow"
                    )
                }
                elements.append(rest.prefix(length))
                rest = rest.dropFirst(length)
            }
            return elements
        }

        /// Appends `element` with its length to `data`.
        package static func append(_ element: some Collection<UInt8>, to data: inout [UInt8]) {
            let length = UInt32(element.count)
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                data.append(UInt8(truncatingIfNeeded: length >> shift))
            }
            data += element
        }

        static func wrongCount(_ expected: Int) -> ServiceError {
            ServiceError(400, "the data of 'image' does not have the \(expected) elements of its shape")
        }
    }
}
