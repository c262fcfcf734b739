/// The weight gradient of a direct convolution with any kernel and stride: dw = Σ xᵀ dy over the pixels, for
/// each run of the patches.
enum DirectWeightGradient {
    /// The number of partial sums over a batch; it depends only on the shape, so the order of summation is fixed.
    private static func parts(_ shape: ConvolutionShape, bands: Int) -> Int {
        let panels = WeightPanels.count(columns: shape.outputChannels)
        return min(bands, max(1, 16 / panels))
    }

    /// The size in floats of the workspace of ``run(_:batch:input:outputGradient:weightGradient:workspace:_:)``.
    static func workspaceCount(_ shape: ConvolutionShape, batch: Int) -> Int {
        let bands = DirectConvolution.grid(shape).bandCount(batch: batch)
        return parts(shape, bands: bands) * DirectConvolution.packedCount(shape)
    }

    /// Adds ∂loss/∂w to `weightGradient` `[out, in, kernel, kernel]`.
    static func run(
        _ shape: ConvolutionShape,
        batch: Int,
        input: Floats,
        outputGradient: Floats,
        weightGradient: MutableFloats,
        workspace: MutableFloats,
        _ workers: ThreadPool
    ) {
        let grid = DirectConvolution.grid(shape)
        let (width, outputs) = (WeightPanels.width, shape.outputChannels)
        let panels = WeightPanels.count(columns: outputs)
        let bands = grid.bandCount(batch: batch)
        let parts = parts(shape, bands: bands)
        let share = (bands + parts - 1) / parts
        let plane = width * shape.patch
        workers.reserveScratch(OuterProduct.wideSumCount + grid.scratchCount + width * grid.largestBand)
        workers.run(parts * panels) { item, worker in
            let (part, panel) = item.quotientAndRemainder(dividingBy: panels)
            let sums = workspace + item * plane
            sums.update(repeating: 0, count: plane)
            let wideSums = workers.scratch(of: worker)
            let gradients = wideSums + OuterProduct.wideSumCount
            let lanes = min(width, outputs - panel * width)
            gradients.update(repeating: 0, count: width * grid.largestBand)
            for index in min(bands, part * share)..<min(bands, (part + 1) * share) {
                let band = grid.band(index, batch: batch)
                let patches = grid.source(input, band: band, scratch: gradients + width * grid.largestBand)
                let first = band.images.lowerBound * grid.pixels + band.rows.lowerBound * grid.width
                let count = band.images.count * band.rows.count * grid.width
                for pixel in 0..<count {
                    let from = outputGradient + (first + pixel) * outputs + panel * width
                    (gradients + pixel * width).update(from: from, count: lanes)
                }
                add(
                    grid,
                    band,
                    patches: patches,
                    gradients: gradients,
                    to: sums,
                    wideSums: workers.isWide ? wideSums : nil
                )
            }
        }
        unpack(workspace, parts: parts, shape, into: weightGradient, workers)
    }

    /// Adds the contribution of a band to `sums` `[taps, in, 16]`; `gradients` is `[pixels, 16]`.
    ///
    /// Uses 16-float registers if there is scratch memory for their sums.
    private static func add(
        _ grid: PatchGrid,
        _ band: PatchGrid.Band,
        patches: PatchGrid.Source,
        gradients: Floats,
        to sums: MutableFloats,
        wideSums: MutableFloats?
    ) {
        let width = WeightPanels.width
        for tapRow in 0..<grid.tapRows {
            let product = OuterProduct(
                left: .init(first: patches.base + tapRow * patches.row, step: grid.step * grid.channels, group: 8),
                right: .init(first: gradients, step: width, group: 8),
                rows: grid.run,
                columnGroups: 2,
                steps: grid.width,
                runs: .init(
                    images: band.images.count,
                    lines: band.rows.count,
                    leftImage: patches.image,
                    leftLine: grid.step * patches.row,
                    rightLine: grid.width * width
                ),
                target: .init(first: sums + tapRow * grid.run * width, row: width, panel: 0)
            )
            product.add(accumulate: true, wideSums: wideSums)
        }
    }

    /// Adds the partial sums `[parts, panel, taps, in, 16]` to `gradient` `[out, in, kernel, kernel]`.
    private static func unpack(
        _ sums: Floats,
        parts: Int,
        _ shape: ConvolutionShape,
        into gradient: MutableFloats,
        _ workers: ThreadPool
    ) {
        let taps = shape.kernel * shape.kernel
        let (inputs, outputs, width) = (shape.inputChannels, shape.outputChannels, WeightPanels.width)
        let plane = width * shape.patch
        let size = WeightPanels.count(columns: outputs) * plane
        workers.run(over: outputs, by: 8) { range, _ in
            for output in range {
                let from = sums + output / width * plane + output % width
                for input in 0..<inputs {
                    let target = gradient + (output * inputs + input) * taps
                    for tap in 0..<taps {
                        let at = (tap * inputs + input) * width
                        var sum: Float = 0
                        for part in 0..<parts { sum += from[part * size + at] }
                        target[tap] += sum
                    }
                }
            }
        }
    }
}
