/// Images of one size side by side, computed row by row.
package struct Strip: Sendable {
    private let original: ByteImage?
    private let panels: [RowSampler]
    private let length: Int

    /// Creates a strip of `original`, unless it is nil, and `images`, resized to `height` x `width`.
    package init(_ original: ByteImage?, _ images: [Image], height: Int, width: Int) {
        self.original = original
        panels = images.map { RowSampler($0, height: height, width: width) }
        length = width * images[0].channels
    }

    /// Writes row `y` to `row`.
    package func row(_ y: Int, _ row: inout [UInt8]) {
        var start = 0
        if let original {
            row.replaceSubrange(0..<length, with: original.samples[y * length..<(y + 1) * length])
            start = length
        }
        var samples = [Float](repeating: 0, count: length)
        for panel in panels {
            panel.sample(y, into: &samples)
            for place in 0..<length { row[start + place] = ByteImage.byte(samples[place]) }
            start += length
        }
    }
}
