/// The weight gradient of a 3x3 convolution with stride 1 and padding 1, computed in the Winograd domain:
/// dU = Σ Vᵀ dM over the tiles for each frequency, then dg = Gᵀ dU G.
enum WinogradWeightGradient<Transform: WinogradGradientTransform> {
    /// The number of tiles whose two transforms are held at once.
    ///
    /// About 2 MB, which fits into the caches, but more (up to 16 MB) where the sums are large, because each block
    /// reads and writes all sums.
    private static func superblock(_ shape: ConvolutionShape, batch: Int) -> Int {
        let sums = Transform.frequencies * shape.inputChannels * rowLength(shape)
        let fitting =
            min(4_000_000, max(500_000, 16 * sums))
            / (Transform.frequencies * (shape.inputChannels + shape.outputChannels))
        return min(batch * WinogradTiles<Transform>(shape).perImage, max(64, fitting))
    }

    private static func rowLength(_ shape: ConvolutionShape) -> Int { (shape.outputChannels + 15) / 16 * 16 }

    /// The size in floats of the workspace of ``run(_:batch:input:outputGradient:weightGradient:workspace:_:)``.
    static func workspaceCount(_ shape: ConvolutionShape, batch: Int) -> Int {
        let tiles = superblock(shape, batch: batch)
        let inputs = WinogradLayout.groups(tiles: tiles, channels: shape.inputChannels)
        let outputs = WinogradLayout.groups(tiles: tiles, channels: shape.outputChannels)
        let sums = shape.inputChannels * rowLength(shape)
        return Transform.frequencies * (inputs.frequency + outputs.frequency + sums)
    }

    /// Adds ∂loss/∂w to `weightGradient` `[out, in, 3, 3]`.
    static func run(
        _ shape: ConvolutionShape,
        batch: Int,
        input: Floats,
        outputGradient: Floats,
        weightGradient: MutableFloats,
        workspace: MutableFloats,
        _ workers: ThreadPool
    ) {
        let tiles = WinogradTiles<Transform>(shape)
        let total = batch * tiles.perImage
        let size = superblock(shape, batch: batch)
        let inputs = WinogradLayout.groups(tiles: size, channels: shape.inputChannels)
        let outputs = WinogradLayout.groups(tiles: size, channels: shape.outputChannels)
        let domain = workspace
        let gradients = domain + Transform.frequencies * inputs.frequency
        let sums = gradients + Transform.frequencies * outputs.frequency
        let plane = shape.inputChannels * rowLength(shape)
        workers.reserveScratch(max(WinogradTiles<Transform>.stage, 8 * 2 * WeightPanels.width))
        let zeros = workers.zeros(Transform.patch * shape.inputChannels)
        for first in stride(from: 0, to: total, by: size) {
            let count = min(size, total - first)
            workers.run(over: count, by: 16) { range, worker in
                let stage = workers.scratch(of: worker)
                let part = first + range.lowerBound..<first + range.upperBound
                let place = range.lowerBound * 8
                tiles.gatherInput(input, part, zeros: zeros, stage: stage, target: domain + place, inputs)
                tiles.gatherOutputGradient(outputGradient, part, stage: stage, target: gradients + place, outputs)
            }
            workers.run(Transform.frequencies) { frequency, worker in
                multiply(
                    shape,
                    tiles: count,
                    domain + frequency * inputs.frequency,
                    inputs,
                    gradients + frequency * outputs.frequency,
                    outputs,
                    accumulate: first > 0,
                    sums + frequency * plane,
                    wide: workers.isWide ? workers.scratch(of: worker) : nil
                )
            }
        }
        unpack(sums, shape, into: weightGradient, workers)
    }

    /// Computes dU of one frequency, `[in, out]` with rows of whole panels, from both factors in groups of eight
    /// channels.
    ///
    /// Uses 16-float registers if there is scratch memory for their sums.
    private static func multiply(
        _ shape: ConvolutionShape,
        tiles: Int,
        _ domain: Floats,
        _ inputs: WinogradLayout,
        _ gradients: Floats,
        _ outputs: WinogradLayout,
        accumulate: Bool,
        _ sums: MutableFloats,
        wide: MutableFloats?
    ) {
        let length = rowLength(shape)
        let groups = (shape.outputChannels + 7) / 8
        if let wide {
            for panel in stride(from: 0, to: length / 16, by: 2) {
                let together = min(2, length / 16 - panel)
                for channel in stride(from: 0, to: shape.inputChannels, by: 8) {
                    wide.update(repeating: 0, count: 8 * 16 * together)
                    WideProduct.addOuter(
                        domain + channel / 8 * inputs.group,
                        stride: 8,
                        groups: 2 * together,
                        { gradients + min(2 * panel + $0, groups - 1) * outputs.group },
                        width: 8,
                        count: tiles,
                        to: wide
                    )
                    for row in 0..<min(8, shape.inputChannels - channel) {
                        let (from, target) = (wide + row * 16 * together, sums + (channel + row) * length + panel * 16)
                        for half in stride(from: 0, to: 16 * together, by: 8) {
                            let sum = load(from + half)
                            store(accumulate ? load(target + half) + sum : sum, target + half)
                        }
                    }
                }
            }
            return
        }
        for panel in 0..<length / 16 {
            let low = gradients + 2 * panel * outputs.group
            // If the last panel has no second half, use the first one instead; that result is never read.
            let high = 2 * panel + 1 < groups ? low + outputs.group : low
            for channel in stride(from: 0, to: shape.inputChannels, by: 4) {
                var tile = ProductTile<4>()
                let rows = domain + channel / 8 * inputs.group + channel % 8
                tile.addOuter(rows, stride: 8, low, high, width: 8, count: tiles)
                for row in 0..<4 where channel + row < shape.inputChannels {
                    let target = sums + (channel + row) * length + panel * 16
                    let (one, two) = (tile.values[row].low, tile.values[row].high)
                    store(accumulate ? load(target) + one : one, target)
                    store(accumulate ? load(target + 8) + two : two, target + 8)
                }
            }
        }
    }

    /// Computes dg = Gᵀ dU G for each filter and adds it to `gradient` `[out, in, 3, 3]`.
    private static func unpack(
        _ sums: Floats,
        _ shape: ConvolutionShape,
        into gradient: MutableFloats,
        _ workers: ThreadPool
    ) {
        let (inputs, outputs, patch) = (shape.inputChannels, shape.outputChannels, Transform.patch)
        let length = rowLength(shape)
        let plane = inputs * length
        workers.reserveScratch((3 * patch + 9) * 8)
        workers.run(over: inputs, by: 8) { range, worker in
            let stage = workers.scratch(of: worker)
            let taps = stage + 3 * patch * 8
            for input in range {
                forEachVector(outputs) { output, lanes in
                    let from = sums + input * length + output
                    for row in 0..<patch {
                        Transform.filterGradient(
                            { column in load(from + (row * patch + column) * plane) },
                            { column, value in store(value, stage + (row * 3 + column) * 8) }
                        )
                    }
                    for column in 0..<3 {
                        Transform.filterGradient(
                            { row in load(stage + (row * 3 + column) * 8) },
                            { row, value in store(value, taps + (row * 3 + column) * 8) }
                        )
                    }
                    for lane in 0..<lanes {
                        let target = gradient + ((output + lane) * inputs + input) * 9
                        for tap in 0..<9 { target[tap] += taps[tap * 8 + lane] }
                    }
                }
            }
        }
    }
}
