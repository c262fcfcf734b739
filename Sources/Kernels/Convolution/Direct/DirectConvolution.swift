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
        run(
            grid(shape),
            batch: batch,
            source: input,
            packed: packed,
            epilogue: epilogue,
            output: output,
            layout: OutputLayout(
                channels: shape.outputChannels,
                first: 0,
                pixel: shape.outputChannels,
                row: shape.outputWidth * shape.outputChannels,
                image: shape.outputPixels * shape.outputChannels
            ),
            workers
        )
    }

    // MARK: Bands

    /// Where the results for the pixels of a grid are stored.
    struct OutputLayout {
        /// The number of output channels.
        let channels: Int
        /// The offset of the first pixel, and the strides between pixels, rows and images, in floats.
        let first, pixel, row, image: Int
    }

    /// Computes epilogue(patch · w) for each pixel of `grid` in `batch` images.
    ///
    /// A work item is a band of pixels and, if there are few bands, some of the panels of weights.
    static func run(
        _ grid: PatchGrid,
        batch: Int,
        source: Floats,
        packed: Floats,
        epilogue: Epilogue,
        output: MutableFloats,
        layout: OutputLayout,
        _ workers: ThreadPool
    ) {
        let bands = grid.bandCount(batch: batch)
        let panels = WeightPanels.count(columns: layout.channels)
        let panelsPerItem = panelsPerItem(panels, bands: bands)
        let itemsPerBand = (panels + panelsPerItem - 1) / panelsPerItem
        // Floats and 32-bit offsets have the same size, so both tables fit after the patches and the sums.
        workers.reserveScratch(grid.scratchCount + BandProduct.wideSumCount + 2 * grid.largestBand)
        workers.run(bands * itemsPerBand) { item, worker in
            let (index, part) = item.quotientAndRemainder(dividingBy: itemsPerBand)
            let band = grid.band(index, batch: batch)
            let scratch = workers.scratch(of: worker)
            let patches = grid.source(source, band: band, scratch: scratch)
            let sums = scratch + grid.scratchCount
            withOffsets(grid, band, patches, layout, memory: sums + BandProduct.wideSumCount) { from, to in
                let product = BandProduct(
                    grid: grid,
                    patches: patches,
                    count: band.images.count * band.rows.count * grid.width,
                    patchOffsets: from,
                    resultOffsets: to,
                    firstResult: layout.first + band.images.lowerBound * layout.image
                        + band.rows.lowerBound * layout.row,
                    packed: packed,
                    channels: layout.channels,
                    epilogue: epilogue,
                    output: output
                )
                let panels = part * panelsPerItem..<min(panels, (part + 1) * panelsPerItem)
                if workers.isWide {
                    product.multiplyWide(panels, sums: sums)
                } else {
                    product.multiply(panels)
                }
            }
        }
    }

    /// The number of panels in a work item: all, unless there are so few bands that threads would be idle.
    private static func panelsPerItem(_ panels: Int, bands: Int) -> Int {
        let items = max(1, 16 / bands)
        return (panels + items - 1) / items
    }

    /// Calls `body` with the offset of each pixel's patch and of its results, from those of the band's first pixel.
    ///
    /// Both tables are in `memory`, which has room for two numbers for each pixel.
    @inline(__always)
    private static func withOffsets(
        _ grid: PatchGrid,
        _ band: PatchGrid.Band,
        _ patches: PatchGrid.Source,
        _ layout: OutputLayout,
        memory: MutableFloats,
        _ body: (_ from: UnsafePointer<Int32>, _ to: UnsafePointer<Int32>) -> Void
    ) {
        memory.withMemoryRebound(to: Int32.self, capacity: 2 * grid.largestBand) { from in
            let to = from + grid.largestBand
            grid.tabulate(
                band,
                pixel: grid.step * grid.channels,
                row: grid.step * patches.row,
                image: patches.image,
                into: from
            )
            grid.tabulate(band, pixel: layout.pixel, row: layout.row, image: layout.image, into: to)
            body(from, to)
        }
    }
}
