extension Image {
    /// The number of intervals of the gray levels.
    private static let levels = 256

    /// Returns the image with its samples replaced by their ranks, so that all of [0, 1] is used equally.
    ///
    /// Any increasing change of the gray levels, such as a change of exposure, contrast or gamma, has almost no effect on
    /// the result. All channels share one histogram. Ranks are interpolated between 256 levels; samples must be finite.
    public var equalized: Image {
        guard !samples.isEmpty else { return self }
        let last = Self.levels - 1
        var counts = [Int](repeating: 0, count: Self.levels)
        for sample in samples { counts[Self.position(of: sample).level] += 1 }
        var below = 0
        // A level's own samples count half, so that an image of one gray level becomes gray.
        let ranks = counts.map { count in
            defer { below += count }
            return (Float(below) + Float(count) / 2) / Float(samples.count)
        }
        var result = self
        for index in samples.indices {
            let (level, offset) = Self.position(of: samples[index])
            let neighbor = min(max(offset < 0 ? level - 1 : level + 1, 0), last)
            result.samples[index] = ranks[level] + abs(offset) * (ranks[neighbor] - ranks[level])
        }
        return result
    }

    /// The nearest level of a sample, and its distance from it in levels, from -0.5 to 0.5.
    private static func position(of sample: Float) -> (level: Int, offset: Float) {
        let scaled = min(max(sample, 0), 1) * Float(levels - 1)
        let level = scaled.rounded()
        return (Int(level), scaled - level)
    }
}
