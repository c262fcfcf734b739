/// Group normalization with the scale and shift of the time embedding, followed by SiLU.
///
///     x̂ = (x - mean) / sqrt(var + eps),  u = (γ x̂ + β)(scale + 1) + shift,  y = u sigmoid(u)
///
/// The mean and variance are over a group of channels of one image, eps 1e-5 (Wu and He, 2018).
public struct GroupNorm: Sendable {
    /// The number of pixels and channels of an image, and the number of channel groups.
    public let pixels, channels, groups: Int
    /// Whether y = silu(u); otherwise y = u.
    public let silu: Bool

    /// Creates a normalization; `groups` must divide `channels`.
    public init(pixels: Int, channels: Int, groups: Int, silu: Bool) {
        precondition(groups > 0 && channels % groups == 0, "\(groups) groups do not divide \(channels) channels")
        self.pixels = pixels
        self.channels = channels
        self.groups = groups
        self.silu = silu
    }

    private var groupSize: Int { channels / groups }
    private var epsilon: Float { 1e-5 }
    /// The number of groups in one work item: about 64 channels, a few cache lines of each pixel.
    ///
    /// With few images, about 16 channels, so that every thread gets work.
    private func groupsPerItem(_ batch: Int) -> Int { min(groups, max(1, (batch < 4 ? 16 : 64) / groupSize)) }
    private func itemsPerImage(_ batch: Int) -> Int { (groups + groupsPerItem(batch) - 1) / groupsPerItem(batch) }

    /// The size in floats of the statistics of ``forward(batch:input:gain:bias:modulation:statistics:output:_:)``.
    public func statisticsCount(batch: Int) -> Int { batch * groups * 2 }

    private func channelRange(_ item: Int, _ batch: Int) -> (image: Int, channels: Range<Int>, groups: Range<Int>) {
        let (image, part) = item.quotientAndRemainder(dividingBy: itemsPerImage(batch))
        let first = part * groupsPerItem(batch)
        let last = min(groups, first + groupsPerItem(batch))
        return (image, first * groupSize..<last * groupSize, first..<last)
    }

    /// Runs the forward pass.
    ///
    /// Shapes: `input` and `output` are `[batch, pixels, channels]`; `gain` and `bias` are `[channels]`; `modulation`
    /// is `[batch, 2 * channels]`, scale then shift. Writes the mean and 1 / standard deviation to `statistics`
    /// `[batch, groups, 2]`.
    public func forward(
        batch: Int,
        input: Floats,
        gain: Floats,
        bias: Floats,
        modulation: Floats?,
        statistics: MutableFloats,
        output: MutableFloats,
        _ workers: ThreadPool
    ) {
        workers.reserveScratch(2 * channels)
        workers.run(batch * itemsPerImage(batch)) { item, worker in
            let (image, range, groupRange) = channelRange(item, batch)
            let x = input + image * pixels * channels
            let y = output + image * pixels * channels
            let stats = statistics + image * groups * 2
            let slope = workers.scratch(of: worker)
            let offset = slope + channels
            measure(x, range, groupRange, sums: slope, into: stats)
            for channel in range {
                let group = channel / groupSize
                let (mean, inverse) = (stats[group * 2], stats[group * 2 + 1])
                let (scale, shift) = modulation.map { at(image, channel, $0) } ?? (0, 0)
                slope[channel] = inverse * gain[channel] * (scale + 1)
                offset[channel] = (bias[channel] - mean * inverse * gain[channel]) * (scale + 1) + shift
            }
            for pixel in 0..<pixels {
                let base = pixel * channels + range.lowerBound
                forEachVector(range.count) { start, lanes in
                    let channel = range.lowerBound + start
                    let u = fused(
                        load(x + base + start, lanes),
                        load(slope + channel, lanes),
                        load(offset + channel, lanes)
                    )
                    store(silu ? u * sigmoid(u) : u, y + base + start, lanes)
                }
            }
        }
    }

    @inline(__always)
    private func at(_ image: Int, _ channel: Int, _ modulation: Floats) -> (scale: Float, shift: Float) {
        let row = modulation + image * 2 * channels
        return (row[channel], row[channels + channel])
    }

    /// Computes the mean and 1 / standard deviation of each group of `range`.
    ///
    /// Takes one pass: sums x - p and its square, where p is the first pixel. p is close enough to the other values to
    /// avoid cancellation. The sums are combined in double precision.
    private func measure(
        _ x: Floats,
        _ range: Range<Int>,
        _ groupRange: Range<Int>,
        sums: MutableFloats,
        into stats: MutableFloats
    ) {
        let squares = sums + channels
        for channel in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
            let lanes = min(8, range.upperBound - channel)
            let pivot = load(x + channel, lanes)
            var (sum, square) = (Vector.zero, Vector.zero)
            for pixel in 1..<max(1, pixels) {
                let centered = load(x + pixel * channels + channel, lanes) - pivot
                sum += centered
                square = fused(centered, centered, square)
            }
            store(sum, sums + channel, lanes)
            store(square, squares + channel, lanes)
        }
        let count = Double(pixels * groupSize)
        for group in groupRange {
            let members = group * groupSize..<(group + 1) * groupSize
            var total = 0.0
            for channel in members { total += Double(sums[channel]) + Double(pixels) * Double(x[channel]) }
            let mean = total / count
            var deviation = 0.0
            for channel in members {
                let distance = Double(x[channel]) - mean
                deviation += Double(squares[channel]) + 2 * distance * Double(sums[channel])
                deviation += Double(pixels) * distance * distance
            }
            stats[group * 2] = Float(mean)
            stats[group * 2 + 1] = 1 / (Float(max(0, deviation / count)) + epsilon).squareRoot()
        }
    }

    /// The destinations of the gradients of a forward pass, for `outputGradient` = ∂loss/∂y.
    public struct Gradients {
        /// ∂loss/∂x `[batch, pixels, channels]`, added to when `accumulate`.
        public var input: MutableFloats
        /// Whether ``input`` already holds the gradient of another consumer.
        public var accumulate: Bool
        /// ∂loss/∂γ and ∂loss/∂β `[channels]`, always added to.
        public var gain, bias: MutableFloats
        /// ∂loss/∂modulation `[batch, 2 * channels]`, stored.
        public var modulation: MutableFloats?

        /// Creates the set of destinations.
        public init(
            input: MutableFloats,
            accumulate: Bool,
            gain: MutableFloats,
            bias: MutableFloats,
            modulation: MutableFloats?
        ) {
            self.input = input
            self.accumulate = accumulate
            self.gain = gain
            self.bias = bias
            self.modulation = modulation
        }
    }

    /// Floats of workspace of ``backward(batch:input:gain:bias:modulation:statistics:outputGradient:gradients:workspace:_:)``.
    public func workspaceCount(batch: Int) -> Int { batch * 2 * channels }

    /// Runs the backward pass; `statistics` are those of the forward pass, and the other arguments are the same.
    ///
    /// With du = dy silu'(u), all gradients follow from S0 = Σ du and S1 = Σ du x̂ over the pixels.
    public func backward(
        batch: Int,
        input: Floats,
        gain: Floats,
        bias: Floats,
        modulation: Floats?,
        statistics: Floats,
        outputGradient: Floats,
        gradients: Gradients,
        workspace: MutableFloats,
        _ workers: ThreadPool
    ) {
        workers.reserveScratch(6 * channels)
        workers.run(batch * itemsPerImage(batch)) { item, worker in
            let (image, range, groupRange) = channelRange(item, batch)
            let x = input + image * pixels * channels
            let dy = outputGradient + image * pixels * channels
            let dx = gradients.input + image * pixels * channels
            let sums = workspace + image * 2 * channels
            let (sumZero, sumOne) = (sums, sums + channels)
            let inverse = workers.scratch(of: worker)
            let (negativeMean, slope, offset) = (inverse + channels, inverse + 2 * channels, inverse + 3 * channels)
            let (groupZero, groupOne) = (inverse + 4 * channels, inverse + 5 * channels)
            for channel in range {
                let group = (image * groups + channel / groupSize) * 2
                let (scale, shift) = modulation.map { at(image, channel, $0) } ?? (0, 0)
                inverse[channel] = statistics[group + 1]
                negativeMean[channel] = -statistics[group] * statistics[group + 1]
                slope[channel] = gain[channel] * (scale + 1)
                offset[channel] = bias[channel] * (scale + 1) + shift
                sumZero[channel] = 0
                sumOne[channel] = 0
            }
            /// Computes x̂ and du of eight channels of one pixel.
            @inline(__always)
            func terms(_ place: Int, _ channel: Int, _ lanes: Int) -> (normalized: Vector, gradient: Vector) {
                let normalized =
                    load(x + place, lanes) * load(inverse + channel, lanes) + load(negativeMean + channel, lanes)
                var gradient = load(dy + place, lanes)
                if silu {
                    let u = normalized * load(slope + channel, lanes) + load(offset + channel, lanes)
                    let s = sigmoid(u)
                    gradient *= s * (1 + u * (1 - s))
                }
                return (normalized, gradient)
            }
            for pixel in 0..<pixels {
                forEachVector(range.count) { start, lanes in
                    let channel = range.lowerBound + start
                    let (normalized, gradient) = terms(pixel * channels + channel, channel, lanes)
                    store(load(sumZero + channel, lanes) + gradient, sumZero + channel, lanes)
                    store(load(sumOne + channel, lanes) + gradient * normalized, sumOne + channel, lanes)
                }
            }
            let count = Float(pixels * groupSize)
            for group in groupRange {
                let members = group * groupSize..<(group + 1) * groupSize
                var (zero, one): (Float, Float) = (0, 0)
                for channel in members {
                    zero += slope[channel] * sumZero[channel]
                    one += slope[channel] * sumOne[channel]
                }
                for channel in members {
                    groupZero[channel] = zero / count
                    groupOne[channel] = one / count
                }
            }
            for pixel in 0..<pixels {
                forEachVector(range.count) { start, lanes in
                    let channel = range.lowerBound + start
                    let place = pixel * channels + channel
                    let (normalized, gradient) = terms(place, channel, lanes)
                    var d = gradient * load(slope + channel, lanes) - load(groupZero + channel, lanes)
                    d = (d - normalized * load(groupOne + channel, lanes)) * load(inverse + channel, lanes)
                    if gradients.accumulate { d += load(dx + place, lanes) }
                    store(d, dx + place, lanes)
                }
            }
        }
        for image in 0..<batch {
            let sums = workspace + image * 2 * channels
            for channel in 0..<channels {
                let (zero, one) = (sums[channel], sums[channels + channel])
                let (scale, _) = modulation.map { at(image, channel, $0) } ?? (0, 0)
                gradients.gain[channel] += (scale + 1) * one
                gradients.bias[channel] += (scale + 1) * zero
                if let target = gradients.modulation {
                    target[image * 2 * channels + channel] = gain[channel] * one + bias[channel] * zero
                    target[(image * 2 + 1) * channels + channel] = zero
                }
            }
        }
    }
}
