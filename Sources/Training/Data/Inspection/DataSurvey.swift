import Imaging

extension DataFacts {
    /// The number of images that are read.
    private static let sampleSize = 50
    /// The mean difference of the color channels above which an image is in color: JPEG makes gray images slightly
    /// colored.
    private static let chroma: Float = 4 / 255

    /// Reads some of the normal training images of `source`, evenly distributed, to find their size and colors.
    public init(
        _ source: DataSource,
        normal: String,
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) throws {
        var (sides, colored): ([Int], Int) = ([], 0)
        let isArchive = try source.forEachArchivedImage(
            of: [.train],
            maximumPixels: DataSource.maximumPixels,
            isInterrupted: isInterrupted
        ) { image, properties, _, _ in
            guard sides.count < Self.sampleSize else { return }
            var consumer = ChromaConsumer()
            consumer.begin(properties, channels: image.channels)
            consumer.add(image.samples, at: 0)
            sides.append(max(image.height, image.width))
            colored += consumer.chroma > Self.chroma ? 1 : 0
        }
        if !isArchive {
            let items = (source.splits[.train] ?? []).filter { $0.label == normal }
            let every = max(1, items.count / Self.sampleSize)
            let sample = items.indices.filter { $0 % every == 0 }.prefix(Self.sampleSize).map { items[$0] }
            let outcomes = try source.map(sample, threads: 1, isInterrupted: isInterrupted) { bytes in
                var consumer = ChromaConsumer()
                try ImageFile.decode(
                    bytes,
                    into: &consumer,
                    asGray: false,
                    maximumPixels: DataSource.maximumPixels,
                    isCancelled: isInterrupted
                )
                return (side: consumer.side, isColored: consumer.chroma > Self.chroma)
            }
            for outcome in outcomes {
                guard let facts = try? outcome.get() else { continue }
                sides.append(facts.side)
                colored += facts.isColored ? 1 : 0
            }
        }
        guard !sides.isEmpty else { throw DataError("train", "none of the normal images can be read") }
        self.init(side: sides.sorted()[sides.count / 2], isColor: 2 * colored > sides.count)
    }
}

/// Measures how much the color channels of an image differ.
private struct ChromaConsumer: ImageFile.Consumer {
    private(set) var side = 0
    private var channels = 1
    private var sum: Float = 0
    private var count: Float = 0

    /// The mean difference between the largest and the smallest channel of a pixel.
    var chroma: Float { count > 0 ? sum / count : 0 }

    mutating func begin(_ properties: ImageProperties, channels: Int) {
        (side, self.channels) = (max(properties.width, properties.height), channels)
    }

    mutating func add(_ row: [Float], at y: Int) {
        guard channels == 3 else { return }
        for pixel in Swift.stride(from: 0, to: row.count, by: 3) {
            let (red, green, blue) = (row[pixel], row[pixel + 1], row[pixel + 2])
            sum += max(red, green, blue) - min(red, green, blue)
        }
        count += Float(row.count / 3)
    }
}
