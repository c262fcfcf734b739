import HTTP

/// The parts `image` of a multipart/form-data batch.
struct FormParser: BatchParser {
    private let limit: Int
    private var parser: MultipartParser
    private(set) var otherFields = 0
    private var hasImages = false
    /// The first names of other parts, for an error.
    private var otherNames: [String] = []

    /// Creates a parser of images of at most `limit` bytes.
    init(boundary: String, limit: Int) {
        self.limit = limit
        parser = MultipartParser(boundary: boundary, limit: limit)
    }

    var missingLabel: BatchInput.Label { .filename(nil) }
    var bufferedBytes: Int { parser.bufferedBytes }

    mutating func append(_ bytes: [UInt8], isLast: Bool) { parser.append(bytes, isLast: isLast) }

    mutating func step() throws(ServiceError) -> BatchStep {
        while true {
            let step: MultipartParser.Step
            do { step = try parser.step() } catch { throw ServiceError(error) }
            switch step {
            case .needsMore: return .needsMore
            case .end:
                guard hasImages else { throw ImageForm.missing(names: otherNames, count: otherFields, BatchInput.hint) }
                return .end
            case .part(var part) where part.name == ImageForm.imageName:
                hasImages = true
                part.body = Array(part.body)[...]
                return .entry(.part(part))
            case .tooLarge(ImageForm.imageName, let filename):
                hasImages = true
                return .entry(.failed(.filename(filename), ServiceError(413, "the part has more than \(limit) bytes")))
            case .part(let part): noteOther(part.name)
            case .tooLarge(let name, _): noteOther(name)
            }
        }
    }

    private mutating func noteOther(_ name: String) {
        otherFields += 1
        if otherNames.count <= ImageForm.listedNames { otherNames.append(name) }
    }
}
