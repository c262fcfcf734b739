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

    private static func rowLength(_ shape: ConvolutionShape) -> Int {
        WeightPanels.count(columns: shape.outputChannels) * WeightPanels.width
    }

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
        workers.reserveScratch(max(WinogradTiles<Transform>.stage, OuterProduct.wideSumCount))
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
                    domain: domain + frequency * inputs.frequency,
                    inputs,
                    gradients: gradients + frequency * outputs.frequency,
                    outputs,
                    accumulate: first > 0,
                    into: sums + frequency * plane,
                    wideSums: workers.isWide ? workers.scratch(of: worker) : nil
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
        domain: Floats,
        _ inputs: WinogradLayout,
        gradients: Floats,
        _ outputs: WinogradLayout,
        accumulate: Bool,
        into sums: MutableFloats,
        wideSums: MutableFloats?
    ) {
        let length = rowLength(shape)
        let product = OuterProduct(
            left: .init(first: domain, step: inputs.tile, group: inputs.group),
            right: .init(first: gradients, step: outputs.tile, group: outputs.group),
            rows: shape.inputChannels,
            columnGroups: (shape.outputChannels + 7) / 8,
            steps: tiles,
            target: .init(first: sums, row: length, panel: WeightPanels.width)
        )
        product.add(accumulate: accumulate, wideSums: wideSums)
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
