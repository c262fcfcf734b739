/// Direct convolution with any kernel and stride, six pixels by sixteen channels at a time.
///
/// Patches are read in place, as contiguous runs of the source.
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

    /// The size of the packed weights in floats.
    static func packedCount(_ shape: ConvolutionShape) -> Int {
        WeightPanels.floats(inner: shape.patch, columns: shape.outputChannels)
    }

    /// Packs `weight` `[out, in, kernel, kernel]` into panels of `[kernel, kernel, in, out]`.
    static func pack(_ weight: Floats, _ shape: ConvolutionShape, into packed: MutableFloats, _ workers: ThreadPool) {
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

    /// Computes y = epilogue(x * w): `input` is `[N, H, W, in]`, `packed` comes from ``pack(_:_:into:_:)``, and
    /// `output` is `[N, H', W', out]`.
    static func forward(
        _ shape: ConvolutionShape,
        batch: Int,
        input: Floats,
        packed: Floats,
        epilogue: Epilogue,
        output: MutableFloats,
        _ workers: ThreadPool
    ) {
        let places = OutputStrides(
            channels: shape.outputChannels,
            pixel: shape.outputChannels,
            row: shape.outputWidth * shape.outputChannels,
            image: shape.outputPixels * shape.outputChannels,
            first: 0
        )
        run(grid(shape), batch, input, packed, epilogue, output, places, workers)
    }

    /// The output strides and offset of the pixels of a grid.
    struct OutputStrides {
        let channels: Int
        /// The strides between pixels, rows and images in floats, and the offset of the first pixel.
        let pixel, row, image, first: Int
    }

    static func run(
        _ grid: PatchGrid,
        _ batch: Int,
        _ source: Floats,
        _ packed: Floats,
        _ epilogue: Epilogue,
        _ output: MutableFloats,
        _ places: OutputStrides,
        _ workers: ThreadPool
    ) {
        let bands = grid.bandCount(batch: batch)
        let panels = WeightPanels.count(columns: places.channels)
        // With few bands, the panels are distributed over the threads too.
        let share = (panels + max(1, 16 / bands) - 1) / max(1, 16 / bands)
        let parts = (panels + share - 1) / share
        let largest = grid.largestBand
        let wideCount = WideProduct.rows * WideProduct.columns
        // Floats and 32-bit offsets have the same size, so both tables fit after the patches and the sums.
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

                /// Computes the pixels starting at `pixel`; if fewer are left than the tile has rows, the last one is
                /// repeated.
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

                /// Computes all products for some panels with 16-float registers.
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

                /// Stores the sums of some pixels for one panel.
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
