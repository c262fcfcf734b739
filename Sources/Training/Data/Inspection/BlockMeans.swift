import Imaging

/// The means of 16 x 16 blocks of an image in gray, and a digest of its samples.
struct BlockMeans: Sendable {
    /// The number of blocks in each direction.
    static let side = 16

    /// The means in row-major order, one row of blocks in each vector.
    let rows: [SIMD16<Float>]
    /// The mean of all blocks.
    let mean: Float
    /// What the file says about the image.
    let properties: ImageProperties
    /// A digest of the size and the samples, to find images with equal pixels within one process.
    let digest: Int

    /// The mean squared difference of the block means.
    func meanSquaredDifference(to other: BlockMeans) -> Float {
        var sum = SIMD16<Float>(repeating: 0)
        for row in rows.indices {
            let difference = rows[row] - other.rows[row]
            sum += difference * difference
        }
        return sum.sum() / Float(Self.side * Self.side)
    }

    /// Computes the block means of an image in memory.
    init(_ image: Image, _ properties: ImageProperties) {
        var consumer = Accumulator()
        consumer.begin(properties, channels: image.channels)
        let length = image.width * image.channels
        for y in 0..<image.height { consumer.add(Array(image.samples[y * length..<(y + 1) * length]), at: y) }
        self = consumer.finish() ?? BlockMeans(rows: [], mean: 0, properties: properties, digest: 0)
    }

    fileprivate init(rows: [SIMD16<Float>], mean: Float, properties: ImageProperties, digest: Int) {
        (self.rows, self.mean, self.properties, self.digest) = (rows, mean, properties, digest)
    }

    /// Computes block means from the rows of an image; pixels on the border of blocks are divided between them.
    struct Accumulator: ImageFile.Consumer {
        private var properties: ImageProperties?
        private var channels = 1
        private var sums = [SIMD16<Float>](repeating: SIMD16(repeating: 0), count: BlockMeans.side)
        private var columns = Shares(count: 1)
        private var lines = Shares(count: 1)
        private var hasher = Hasher()

        mutating func begin(_ properties: ImageProperties, channels: Int) {
            (self.properties, self.channels) = (properties, channels)
            columns = Shares(count: properties.width)
            lines = Shares(count: properties.height)
            hasher.combine(properties.width)
            hasher.combine(properties.height)
            hasher.combine(channels)
        }

        mutating func add(_ row: [Float], at y: Int) {
            row.withUnsafeBytes { hasher.combine(bytes: $0) }
            var blocks = [Float](repeating: 0, count: BlockMeans.side)
            for column in 0..<row.count / channels {
                let value: Float
                if channels == 3 {
                    let (red, green, blue) = (row[3 * column], row[3 * column + 1], row[3 * column + 2])
                    value = 0.299 * red + 0.587 * green + 0.114 * blue
                } else {
                    value = row[column]
                }
                columns.distribute(column) { blocks[$0] += $1 * value }
            }
            var line = SIMD16<Float>()
            for block in 0..<BlockMeans.side { line[block] = blocks[block] }
            lines.distribute(y) { sums[$0] += $1 * line }
        }

        /// Returns the means; nil if no image was begun.
        func finish() -> BlockMeans? {
            guard let properties else { return nil }
            let total = sums.reduce(SIMD16(repeating: 0), +).sum()
            return BlockMeans(
                rows: sums,
                mean: total / Float(BlockMeans.side * BlockMeans.side),
                properties: properties,
                digest: hasher.finalize()
            )
        }
    }

    /// How `count` pixels in one direction are divided between the blocks.
    private struct Shares {
        let count: Int
        private let size: Double

        init(count: Int) {
            self.count = count
            size = Double(count) / Double(BlockMeans.side)
        }

        /// Calls `body` with each block that contains a part of pixel `index`, and the weight of the pixel in its mean.
        func distribute(_ index: Int, _ body: (Int, Float) -> Void) {
            // In sixteenths of a pixel, which are integers.
            let (start, end) = (index * BlockMeans.side, (index + 1) * BlockMeans.side)
            for block in start / count...min((end - 1) / count, BlockMeans.side - 1) {
                let covered = min(end, (block + 1) * count) - max(start, block * count)
                body(block, Float(Double(covered) / Double(BlockMeans.side) / size))
            }
        }
    }
}
