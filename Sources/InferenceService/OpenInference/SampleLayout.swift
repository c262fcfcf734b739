import Codecs

/// Arrangement of the samples in a tensor of images: `[N, H, W]`, `[N, C, H, W]` or `[N, H, W, C]`.
struct SampleLayout {
    private let count, channels, height, width: Int
    private let shape: [Int]
    /// Whether each channel is stored by itself.
    private let isPlanar: Bool

    /// Interprets `shape` for a model of `channels` channels; three axes are gray images, for any model.
    init(_ shape: [Int], channels: Int, maximumPixels: Int) throws(ServiceError) {
        switch shape.count {
        case 3: (self.channels, isPlanar, height, width) = (1, true, shape[1], shape[2])
        case 4:
            self.channels = channels
            isPlanar = shape[1] == channels
            guard isPlanar != (shape[3] == channels) else {
                throw ServiceError(
                    400,
                    "of a 4-D shape of 'image', exactly one of the axes 1 and 3 must have the length \(channels), the "
                        + "number of the model's channels"
                )
            }
            (height, width) = isPlanar ? (shape[2], shape[3]) : (shape[1], shape[2])
        default:
            throw ServiceError(400, "the shape of 'image' must be [N, H, W], [N, C, H, W] or [N, H, W, C]")
        }
        (count, self.shape) = (shape[0], shape)
        try Self.check(count: count)
        guard height > 0, width > 0 else { throw ServiceError(400, "the shape of 'image' has an extent below 1") }
        // Both are checked before they are multiplied.
        guard height <= PNG.maximumSide, width <= PNG.maximumSide, height * width <= maximumPixels else {
            throw ServiceError(
                413,
                "the images are \(width) x \(height) pixels, the limit is \(maximumPixels) pixels and "
                    + "\(PNG.maximumSide) a side"
            )
        }
    }

    /// Throws if a request must not have `count` images.
    static func check(count: Int) throws(ServiceError) {
        guard count > 0 else { throw ServiceError(400, "'image' must have 1 to \(OpenInference.imageLimit) images") }
        guard count <= OpenInference.imageLimit else {
            throw ServiceError(413, "'image' must have 1 to \(OpenInference.imageLimit) images")
        }
    }

    private var planes: Int { isPlanar ? channels : 1 }
    /// Number of samples in a plane of an image.
    private var planeSamples: Int { height * width * channels / planes }
    private var imageSamples: Int { height * width * channels }
    private var samples: Int { count * imageSamples }

    /// Returns the images in binary data, after checking its size and its samples.
    func images(
        _ type: SampleImage.SampleType,
        _ data: ArraySlice<UInt8>,
        _ isCancelled: () -> Bool
    ) throws(ServiceError) -> [SampleImage] {
        let planeBytes = planeSamples * type.bytes
        guard data.count == samples * type.bytes else {
            throw ServiceError(
                400,
                "the binary data of 'image' has \(data.count) bytes, but its shape and datatype need "
                    + "\(samples * type.bytes)"
            )
        }
        if let index = try type.firstInvalid(data, isCancelled) { throw invalid(index, type) }
        return images(type, isText: false, planes: (0..<count * planes).map { data.dropFirst($0 * planeBytes) })
    }

    /// Returns the images in `text`, a valid JSON text, after checking the number of its samples and each of them.
    func images(
        _ type: SampleImage.SampleType,
        text: ArraySlice<UInt8>,
        _ isCancelled: () -> Bool
    ) throws(ServiceError) -> [SampleImage] {
        var check = NestingCheck(extents: shape, count: samples)
        var numbers = NumberText(text)
        var planes: [ArraySlice<UInt8>] = []
        var index = 0
        while let token = numbers.next() {
            switch token {
            case .open: guard check.open() else { throw wrongNesting }
            case .close: guard check.close() else { throw wrongNesting }
            case .other:
                throw ServiceError(400, "element \(index) of 'image' has the wrong type, expected a number")
            case .number(let value, let start):
                guard check.number() else { throw wrongNesting }
                if index.isMultiple(of: planeSamples) { planes.append(text[start...]) }
                guard type.isValid(value) else { throw invalid(index, type) }
                index += 1
                if index.isMultiple(of: 65_536), isCancelled() {
                    throw OpenInference.problem(.cancelled, "")
                }
            }
        }
        guard check.isComplete else { throw wrongNesting }
        return images(type, isText: true, planes: planes)
    }

    private func images(
        _ type: SampleImage.SampleType,
        isText: Bool,
        planes: [ArraySlice<UInt8>]
    ) -> [SampleImage] {
        (0..<count).map { index in
            SampleImage(
                type: type,
                height: height,
                width: width,
                channels: channels,
                planes: Array(planes[index * self.planes..<(index + 1) * self.planes]),
                isText: isText
            )
        }
    }

    private var wrongNesting: ServiceError {
        ServiceError(
            400,
            "the data of 'image' does not match its shape: expected \(samples) numbers in one array, or arrays nested "
                + "as in the shape"
        )
    }

    private func invalid(_ index: Int, _ type: SampleImage.SampleType) -> ServiceError {
        ServiceError(400, "element \(index) of 'image' (in image \(index / imageSamples)) is not \(type.range)")
    }
}

/// Checks that the numbers of a JSON array are all in one array, or in arrays nested as in the shape.
private struct NestingCheck {
    private let extents: [Int]
    private let count: Int
    private var numbers = 0
    /// The number of elements of each open array.
    private var elements: [Int] = []
    /// The depth of the numbers, known after the first.
    private var depth: Int?

    /// Expects `count` numbers, in one array or nested as in `extents`.
    init(extents: [Int], count: Int) {
        self.extents = extents
        self.count = count
    }

    mutating func open() -> Bool {
        if !elements.isEmpty { elements[elements.count - 1] += 1 }
        elements.append(0)
        return elements.count <= extents.count
    }

    mutating func number() -> Bool {
        guard !elements.isEmpty, depth == nil || depth == elements.count, numbers < count else { return false }
        depth = elements.count
        elements[elements.count - 1] += 1
        numbers += 1
        return true
    }

    mutating func close() -> Bool {
        guard let last = elements.popLast(), let depth else { return false }
        if depth == 1 { return elements.isEmpty }
        return depth == extents.count && last == extents[elements.count]
    }

    /// Whether all arrays are closed and all numbers were there.
    var isComplete: Bool { elements.isEmpty && numbers == count }
}
