/// Convolution of any kernel and stride as the sum it is: six pixels by sixteen channels at a time, over
/// the runs of their patches where they stand.
enum DirectConvolution {
    // MARK: Forward

    /// The patches of the forward pass.
    static func grid(_ shape: ConvolutionShape) -> PatchGrid {
        PatchGrid(
            sourceHeight: shape.inputHeight,
            sourceWidth: shape.inputWidth,
            channels: shape.inputChannels,
            top: shape.padding,
            left: shape.padding,
            step: shape.stride,
            tapRows: shape.kernel,
            tapColumns: shape.kernel,
            height: shape.outputHeight,
            width: shape.outputWidth
        )
    }

    /// Floats of the packed weights.
    static func packedCount(_ shape: ConvolutionShape) -> Int {
        WeightPanels.floats(inner: shape.patch, columns: shape.outputChannels)
    }

    /// `weight` `[out, in, kernel, kernel]` to panels of `[kernel, kernel, in, out]`.
    static func pack(_ weight: Floats, _ shape: ConvolutionShape, into packed: MutableFloats, _ workers: Workers) {
        let taps = shape.kernel * shape.kernel
        let (inputs, outputs, width) = (shape.inputChannels, shape.outputChannels, WeightPanels.width)
        workers.run(WeightPanels.count(columns: outputs)) { panel, _ in
            let target = packed + panel * width * shape.patch
            let columns = min(width, outputs - panel * width)
            if columns < width { target.update(repeating: 0, count: width * shape.patch) }
            for input in 0..<inputs {
                for column in 0..<columns {
                    let source = weight + ((panel * width + column) * inputs + input) * taps
                    for tap in 0..<taps { target[(tap * inputs + input) * width + column] = source[tap] }
                }
            }
        }
    }

    /// y = epilogue(x * w): `input` `[N, H, W, in]`, `packed` from ``pack(_:_:into:_:)``, `output`
    /// `[N, H', W', out]`.
    static func forward(
        _ shape: ConvolutionShape,
        batch: Int,
        input: Floats,
        packed: Floats,
        epilogue: Epilogue,
        output: MutableFloats,
        _ workers: Workers
    ) {
        let places = Places(
            channels: shape.outputChannels,
            pixel: shape.outputChannels,
            row: shape.outputWidth * shape.outputChannels,
            image: shape.outputPixels * shape.outputChannels,
            first: 0
        )
        run(grid(shape), batch, input, packed, epilogue, output, places, workers)
    }

    // MARK: Data gradient

    /// One phase of the data gradient: the input pixels whose row and column leave the same remainders by
    /// the stride, and the kernel taps that reach them.
    ///
    /// From y[o] = Σ w[k] x[s o + k - p]: dx[s i + phase] = Σ w[r + s j] dy[i + q - j] with r the remainder
    /// of phase + p by s and q the quotient; a convolution of stride 1 with the taps r, r + s, ... turned
    /// round.
    private struct Phase {
        let rowRemainder, columnRemainder: Int
        let rowPhase, columnPhase: Int
        let grid: PatchGrid
    }

    private static func phases(_ shape: ConvolutionShape) -> [Phase] {
        let (kernel, stride) = (shape.kernel, shape.stride)
        func parts(_ length: Int) -> [(phase: Int, remainder: Int, quotient: Int, taps: Int, count: Int)] {
            (0..<min(stride, length)).map { phase in
                let (quotient, remainder) = (phase + shape.padding).quotientAndRemainder(dividingBy: stride)
                let taps = remainder < kernel ? (kernel - remainder + stride - 1) / stride : 0
                return (phase, remainder, quotient, taps, (length - phase + stride - 1) / stride)
            }
        }
        return parts(shape.inputHeight).flatMap { row in
            parts(shape.inputWidth).map { column in
                Phase(
                    rowRemainder: row.remainder,
                    columnRemainder: column.remainder,
                    rowPhase: row.phase,
                    columnPhase: column.phase,
                    grid: PatchGrid(
                        sourceHeight: shape.outputHeight,
                        sourceWidth: shape.outputWidth,
                        channels: shape.outputChannels,
                        top: row.taps - 1 - row.quotient,
                        left: column.taps - 1 - column.quotient,
                        step: 1,
                        tapRows: row.taps,
                        tapColumns: column.taps,
                        height: row.count,
                        width: column.count
                    )
                )
            }
        }
    }

    /// Floats of the weights packed for the data gradient.
    static func gradientPackedCount(_ shape: ConvolutionShape) -> Int {
        WeightPanels.floats(inner: shape.kernel * shape.kernel * shape.outputChannels, columns: shape.inputChannels)
    }

    /// `weight` `[out, in, kernel, kernel]` to panels of `[taps, taps, out, in]` for each phase.
    static func packForInputGradient(
        _ weight: Floats,
        _ shape: ConvolutionShape,
        into packed: MutableFloats,
        _ workers: Workers
    ) {
        let (inputs, outputs, kernel, width) = (
            shape.inputChannels, shape.outputChannels, shape.kernel, WeightPanels.width
        )
        var start = packed
        for phase in phases(shape) {
            let (rows, columns) = (phase.grid.tapRows, phase.grid.tapColumns)
            let inner = rows * columns * outputs
            let phaseStart = start
            workers.run(WeightPanels.count(columns: inputs)) { panel, _ in
                let target = phaseStart + panel * width * inner
                let filled = min(width, inputs - panel * width)
                if filled < width { target.update(repeating: 0, count: width * inner) }
                for tapRow in 0..<rows {
                    for tapColumn in 0..<columns {
                        // The taps in the order in which a patch meets them: turned round.
                        let kernelRow = phase.rowRemainder + (rows - 1 - tapRow) * shape.stride
                        let kernelColumn = phase.columnRemainder + (columns - 1 - tapColumn) * shape.stride
                        let to = target + (tapRow * columns + tapColumn) * outputs * width
                        for output in 0..<outputs {
                            let from =
                                weight + ((output * inputs + panel * width) * kernel + kernelRow) * kernel
                                + kernelColumn
                            for column in 0..<filled { to[output * width + column] = from[column * kernel * kernel] }
                        }
                    }
                }
            }
            start += WeightPanels.floats(inner: inner, columns: inputs)
        }
    }

    /// ∂loss/∂x for ∂loss/∂y: `outputGradient` `[N, H', W', out]`, `packed` from
    /// ``packForInputGradient(_:_:into:_:)``, `inputGradient` `[N, H, W, in]`, added to when `accumulate`.
    static func inputGradient(
        _ shape: ConvolutionShape,
        batch: Int,
        outputGradient: Floats,
        packed: Floats,
        accumulate: Bool,
        inputGradient: MutableFloats,
        _ workers: Workers
    ) {
        let channels = shape.inputChannels
        let epilogue = Epilogue(residual: accumulate ? Floats(inputGradient) : nil)
        var start = packed
        for phase in phases(shape) {
            let places = Places(
                channels: channels,
                pixel: shape.stride * channels,
                row: shape.stride * shape.inputWidth * channels,
                image: shape.inputPixels * channels,
                first: (phase.rowPhase * shape.inputWidth + phase.columnPhase) * channels
            )
            run(phase.grid, batch, outputGradient, start, epilogue, inputGradient, places, workers)
            start += WeightPanels.floats(inner: phase.grid.tapRows * phase.grid.run, columns: channels)
        }
    }

    // MARK: The sum

    /// Where the results of a grid's pixels go.
    private struct Places {
        let channels: Int
        /// Floats from one pixel, one row, one image to the next; and to the first.
        let pixel, row, image, first: Int
    }

    private static func run(
        _ grid: PatchGrid,
        _ batch: Int,
        _ source: Floats,
        _ packed: Floats,
        _ epilogue: Epilogue,
        _ output: MutableFloats,
        _ places: Places,
        _ workers: Workers
    ) {
        let bands = grid.bandCount(batch: batch)
        let panels = WeightPanels.count(columns: places.channels)
        // A few bands are shared out by panels too.
        let share = (panels + max(1, 16 / bands) - 1) / max(1, 16 / bands)
        let parts = (panels + share - 1) / share
        let largest = grid.largestBand
        let wideCount = WideProduct.rows * WideProduct.columns
        // Floats and 32-bit offsets are of one size, so that both tables fit behind the patches and the sums.
        workers.reserveScratch(grid.scratchCount + wideCount + 2 * largest)
        workers.run(bands * parts) { item, worker in
            let (index, part) = item.quotientAndRemainder(dividingBy: parts)
            let band = grid.band(index, batch: batch)
            let scratch = workers.scratch(of: worker)
            let patches = grid.source(source, band, scratch: scratch)
            let count = band.images.count * band.rows.count * grid.width
            let first = places.first + band.images.lowerBound * places.image + band.rows.lowerBound * places.row
            let wideSums = scratch + grid.scratchCount
            (wideSums + wideCount).withMemoryRebound(to: Int32.self, capacity: 2 * largest) { tables in
                let (from, to) = (tables, tables + largest)
                grid.tabulate(
                    band,
                    pixel: grid.step * grid.channels,
                    row: grid.step * patches.row,
                    image: patches.image,
                    from
                )
                grid.tabulate(band, pixel: places.pixel, row: places.row, image: places.image, to)
                let panels = part * share..<min(panels, (part + 1) * share)
                if workers.isWide { return multiplyWide(panels) }
                for panel in panels {
                    let weights = packed + panel * WeightPanels.width * grid.tapRows * grid.run
                    var pixel = 0
                    while pixel < count {
                        let rest = count - pixel
                        if rest < 3 {
                            group(of: ProductTile<2>(), panel, weights, pixel, rest)
                            break
                        }
                        let size = RowGroups.next(rest)
                        if size == 6 {
                            group(of: ProductTile<6>(), panel, weights, pixel, rest)
                        } else {
                            group(of: ProductTile<4>(), panel, weights, pixel, rest)
                        }
                        pixel += size
                    }
                }

                /// The pixels from `pixel` on; where fewer are left than the tile has rows, the last stands for
                /// the others.
                @inline(__always)
                func group<let rows: Int>(
                    of tile: ProductTile<rows>,
                    _ panel: Int,
                    _ weights: Floats,
                    _ pixel: Int,
                    _ rest: Int
                ) {
                    var sums = tile
                    sums.add(
                        InlineArray { patches.base + Int(from[pixel + min($0, rest - 1)]) },
                        taps: grid.tapRows,
                        tapStride: patches.row,
                        inner: grid.run,
                        panel: weights
                    )
                    finish(panel, pixel, min(rows, rest)) { (sums.values[$0].low, sums.values[$0].high) }
                }

                /// All products with some panels, on wide registers.
                func multiplyWide(_ panels: Range<Int>) {
                    var panel = panels.lowerBound
                    while panel < panels.upperBound {
                        let together = WideProduct.nextPanels(panels.upperBound - panel)
                        var pixel = 0
                        while pixel < count {
                            let rest = count - pixel
                            let size = WideProduct.nextRows(rest)
                            WideProduct.multiply(
                                rows: size,
                                panels: together,
                                { patches.base + Int(from[pixel + min($0, rest - 1)]) },
                                taps: grid.tapRows,
                                tapStride: patches.row,
                                inner: grid.run,
                                panel: packed + panel * WeightPanels.width * grid.tapRows * grid.run,
                                result: wideSums,
                                stride: WideProduct.columns
                            )
                            for index in 0..<together {
                                finish(panel + index, pixel, min(size, rest)) { row in
                                    let at = wideSums + row * WideProduct.columns + index * WeightPanels.width
                                    return (load(at), load(at + 8))
                                }
                            }
                            pixel += size
                        }
                        panel += together
                    }
                }

                /// Stores the sums of some pixels with one panel.
                @inline(__always)
                func finish(_ panel: Int, _ pixel: Int, _ rows: Int, _ sums: (Int) -> (low: Vector, high: Vector)) {
                    let channel = panel * WeightPanels.width
                    let lanes = min(8, places.channels - channel)
                    let more = min(8, places.channels - channel - 8)
                    let low = epilogue.bias.map { load($0 + channel, lanes) } ?? .zero
                    let high = more > 0 ? epilogue.bias.map { load($0 + channel + 8, more) } ?? .zero : .zero
                    for row in 0..<rows {
                        let place = first + Int(to[pixel + row]) + channel
                        let sum = sums(row)
                        epilogue.finish(sum.low + low, at: place, lanes, output)
                        if more > 0 { epilogue.finish(sum.high + high, at: place + 8, more, output) }
                    }
                }
            }
        }
    }
}
