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
        workers.reserveScratch(8 * width + grid.scratchCount + width * grid.largestBand)
        workers.run(parts * panels) { item, worker in
            let (part, panel) = item.quotientAndRemainder(dividingBy: panels)
            let sums = workspace + item * plane
            sums.update(repeating: 0, count: plane)
            let wide = workers.scratch(of: worker)
            let gradients = wide + 8 * width
            let lanes = min(width, outputs - panel * width)
            gradients.update(repeating: 0, count: width * grid.largestBand)
            for index in min(bands, part * share)..<min(bands, (part + 1) * share) {
                let band = grid.band(index, batch: batch)
                let patches = grid.source(input, band, scratch: gradients + width * grid.largestBand)
                let first = band.images.lowerBound * grid.pixels + band.rows.lowerBound * grid.width
                let count = band.images.count * band.rows.count * grid.width
                for pixel in 0..<count {
                    let from = outputGradient + (first + pixel) * outputs + panel * width
                    (gradients + pixel * width).update(from: from, count: lanes)
                }
                add(grid, band, patches, gradients, to: sums, wide: workers.isWide ? wide : nil)
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
        _ patches: PatchGrid.Source,
        _ gradients: Floats,
        to sums: MutableFloats,
        wide: MutableFloats?
    ) {
        let (width, rows) = (WeightPanels.width, band.rows.count)
        let step = grid.step * grid.channels
        /// The source run for one line of the band's pixels, and the gradients of that line.
        @inline(__always)
        func line(_ index: Int, _ tapRow: Int, _ place: Int) -> (from: Floats, right: Floats) {
            let (image, row) = index.quotientAndRemainder(dividingBy: rows)
            let from = patches.base + image * patches.image + (row * grid.step + tapRow) * patches.row + place
            return (from, gradients + index * grid.width * width)
        }
        if let wide {
            for tapRow in 0..<grid.tapRows {
                for place in stride(from: 0, to: grid.run, by: 8) {
                    wide.update(repeating: 0, count: 8 * width)
                    for index in 0..<band.images.count * rows {
                        let (from, right) = line(index, tapRow, place)
                        WideProduct.addOuter(
                            from,
                            stride: step,
                            groups: 2,
                            { right + 8 * $0 },
                            width: width,
                            count: grid.width,
                            to: wide
                        )
                    }
                    for row in 0..<min(8, grid.run - place) {
                        let target = sums + (tapRow * grid.run + place + row) * width
                        store(load(target) + load(wide + row * width), target)
                        store(load(target + 8) + load(wide + row * width + 8), target + 8)
                    }
                }
            }
            return
        }
        for tapRow in 0..<grid.tapRows {
            for place in stride(from: 0, to: grid.run, by: 4) {
                var tile = ProductTile<4>()
                for index in 0..<band.images.count * rows {
                    let (from, right) = line(index, tapRow, place)
                    tile.addOuter(from, stride: step, right, right + 8, width: width, count: grid.width)
                }
                for row in 0..<4 where place + row < grid.run {
                    let target = sums + (tapRow * grid.run + place + row) * width
                    store(load(target) + tile.values[row].low, target)
                    store(load(target + 8) + tile.values[row].high, target + 8)
                }
            }
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
