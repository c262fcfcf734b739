import Codecs
import DIA
import Imaging
import ModelFile

extension PreparedImage {
    /// Resizes `image` row by row into the model's input, with the same arithmetic as for a PNG of the same samples.
    ///
    /// A FP32 image counts as one of 16 bits: its sample 1 is 65,535 for the parameters of a rendering.
    init(
        _ image: SampleImage,
        for model: Model.Information,
        rendering: Rendering,
        _ context: WorkPool.Context
    ) throws(ServiceError) {
        let header = PNG.Header(
            width: image.width,
            height: image.height,
            bitDepth: image.type.bitDepth,
            color: image.channels == 1 ? .gray : .rgb
        )
        try rendering.check(header)
        let target = model.manifest.input
        var resizer = RowResizer(
            height: image.height,
            width: image.width,
            channels: image.channels,
            targetHeight: target.height,
            targetWidth: target.width
        )
        var largestSample: Float = 0
        var isCancelled = false
        image.forEachRow { row, y in
            if header.bitDepth > 8 { largestSample = max(largestSample, row.max() ?? 0) }
            if image.channels == 1 { rendering.apply(to: &row, 0..<image.width) }
            resizer.add(row, at: y)
            isCancelled = y.isMultiple(of: 16) && context.isCancelled
            return !isCancelled
        }
        if isCancelled { throw OpenInference.problem(.cancelled, "") }
        try rendering.check(largestSample: largestSample)
        let input = resizer.finish().converted(toChannels: target.channels)
        self.header = header
        self.input = input
        check = model.inputCheck?(input)
        (pixelDigest, defects, suspicions, shown, memory) = (nil, [], [], nil, nil)
    }
}

extension ImageInput {
    /// Prepares `image` for `model`, as for a PNG of the same size.
    func prepare(
        _ image: SampleImage,
        for model: Model.Information,
        rendering: Rendering,
        deadline: ContinuousClock.Instant?
    ) async throws -> PreparedImage {
        // A row and its neighbors, and resizing weights.
        let bytes = 512 << 10 + (image.height + image.width) * 128
        let result: Result<PreparedImage, ServiceError> = try await pool.run(
            cost: image.height * image.width * image.channels + image.textBytes / 4,
            bytes: bytes,
            deadline: deadline
        ) { context in
            Result { () throws(ServiceError) in
                try PreparedImage(image, for: model, rendering: rendering, context)
            }
        }
        return try result.get()
    }
}
