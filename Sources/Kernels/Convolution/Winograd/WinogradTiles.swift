/// The layout of a block of tiles in the Winograd domain: for each frequency a matrix of tiles by channels.
struct WinogradLayout {
    /// The strides between frequencies, between tiles and between groups of eight channels, in floats.
    let frequency, tile, group: Int

    /// Returns a layout with the channels of each tile contiguous, `[frequencies, tiles, channels]`.
    ///
    /// These are the rows that ``ProductTile`` reads. `channels` is rounded up to whole vectors.
    static func rows(tiles: Int, channels: Int) -> WinogradLayout {
        let width = (channels + 7) / 8 * 8
        return WinogradLayout(frequency: apart(tiles * width), tile: width, group: 8)
    }

    /// Returns a layout in groups of eight channels, `[frequencies, channels / 8, tiles, 8]`, for sums over tiles.
    static func groups(tiles: Int, channels: Int) -> WinogradLayout {
        WinogradLayout(frequency: apart((channels + 7) / 8 * tiles * 8), tile: 8, group: tiles * 8)
    }

    /// Rounds `floats` up to an odd number of cache lines.
    ///
    /// A tile is written to all frequencies at once. With an even stride its cache lines would map to the same few
    /// sets of the cache and evict each other.
    private static func apart(_ floats: Int) -> Int { ((floats + 15) / 16 | 1) * 16 }
}

/// The tiles that cover the output planes of a batch, and their transforms to and from the Winograd domain.
struct WinogradTiles<Transform: WinogradTransform> {
    let shape: ConvolutionShape
    /// The number of tiles in a column and in a row of one image.
    let down, across: Int

    init(_ shape: ConvolutionShape) {
        precondition(
            shape.kernel == 3 && shape.stride == Transform.stride && shape.padding == 1,
            "not a Winograd convolution: \(shape)"
        )
        self.shape = shape
        down = (shape.outputHeight + Transform.tile - 1) / Transform.tile
        across = (shape.outputWidth + Transform.tile - 1) / Transform.tile
    }

    /// The number of tiles in one image.
    var perImage: Int { down * across }

    /// The size in floats of the scratch memory for one tile that is transformed in one dimension.
    static var stage: Int { Transform.points * Transform.patch * 8 }

    /// Returns the image and the first output row and column of a tile.
    @inline(__always)
    private func place(_ tile: Int) -> (image: Int, row: Int, column: Int) {
        let (image, within) = tile.quotientAndRemainder(dividingBy: perImage)
        let (row, column) = within.quotientAndRemainder(dividingBy: across)
        return (image, row * Transform.tile, column * Transform.tile)
    }

    /// Returns the offset of the first pixel of a tile in the output planes of the batch, in pixels, and the number of
    /// its rows and columns that are inside its plane.
    @inline(__always)
    fileprivate func outputPlace(_ tile: Int) -> (pixel: Int, rows: Int, columns: Int) {
        let (image, top, left) = place(tile)
        let window = PlaneWindow(
            top: top,
            left: left,
            height: Transform.tile,
            width: Transform.tile,
            planeHeight: shape.outputHeight,
            planeWidth: shape.outputWidth
        )
        return (image * shape.outputPixels + window.origin, window.rows.upperBound, window.columns.upperBound)
    }

    /// Computes V = Bᵀ d B for each tile of `range`: reads `input` `[N, H, W, C]`, with zeros outside the image, and
    /// writes tile i of the range to row i of `target`.
    ///
    /// `zeros` holds as many zeros as one row of a patch has floats. Lanes after the last channel hold undefined
    /// values, which are never read.
    func gatherInput(
        _ input: Floats,
        _ range: Range<Int>,
        zeros: Floats,
        stage: MutableFloats,
        target: MutableFloats,
        _ layout: WinogradLayout
    ) {
        let (patch, points, channels) = (Transform.patch, Transform.points, shape.inputChannels)
        let ahead = Transform.tile * Transform.stride * channels
        let overlap = patch - Transform.tile * Transform.stride
        for (index, tile) in range.enumerated() {
            let (image, top, left) = place(tile)
            // The patch starts one pixel above and to the left of the output tile (padding 1).
            let window = PlaneWindow(
                top: top * Transform.stride - 1,
                left: left * Transform.stride - 1,
                height: patch,
                width: patch,
                planeHeight: shape.inputHeight,
                planeWidth: shape.inputWidth
            )
            let base = input + (image * shape.inputPixels + window.origin) * channels
            let sources = InlineArray<9, Floats> {
                window.rows.contains($0) ? base + $0 * shape.inputWidth * channels : zeros
            }
            for channel in Swift.stride(from: 0, to: channels, by: 8) {
                for column in 0..<patch {
                    let place = column * channels + channel
                    if window.columns.contains(column) {
                        // Prefetch the columns that only the next tile reads.
                        if column >= overlap {
                            for row in 0..<patch { prefetch(sources[row] + place + ahead) }
                        }
                        Transform.input(
                            { row in load(sources[row] + place) },
                            { point, value in store(value, stage + (point * patch + column) * 8) }
                        )
                    } else {
                        for point in 0..<points { store(.zero, stage + (point * patch + column) * 8) }
                    }
                }
                let to = target + index * layout.tile + channel / 8 * layout.group
                for row in 0..<points {
                    Transform.input(
                        { column in load(stage + (row * patch + column) * 8) },
                        { point, value in store(value, to + (row * points + point) * layout.frequency) }
                    )
                }
            }
        }
    }

    /// Computes y = epilogue(Aᵀ M A) for each tile of `range`: reads row i of `source` for tile i of the range and
    /// writes the pixels of the tiles to `output` `[N, H, W, C]`.
    func scatterOutput(
        _ source: Floats,
        _ layout: WinogradLayout,
        _ range: Range<Int>,
        stage: MutableFloats,
        epilogue: Epilogue,
        output: MutableFloats
    ) {
        let (points, channels) = (Transform.points, shape.outputChannels)
        for (index, tile) in range.enumerated() {
            let (pixel, rows, columns) = outputPlace(tile)
            let base = pixel * channels
            forEachVector(channels) { channel, lanes in
                let from = source + index * layout.tile + channel / 8 * layout.group
                for column in 0..<points {
                    Transform.output(
                        { row in load(from + (row * points + column) * layout.frequency) },
                        { row, value in store(value, stage + (row * points + column) * 8) }
                    )
                }
                @inline(__always)
                func finish(_ lanes: Int) {
                    let bias = epilogue.bias.map { load($0 + channel, lanes) } ?? .zero
                    for row in 0..<rows {
                        let at = base + row * shape.outputWidth * channels + channel
                        Transform.output(
                            { column in load(stage + (row * points + column) * 8) },
                            { column, value in
                                guard column < columns else { return }
                                epilogue.finish(value + bias, at: at + column * channels, lanes: lanes, to: output)
                            }
                        )
                    }
                }
                // Almost always a whole vector; the constant lets the compiler specialize this case.
                if lanes == 8 { finish(8) } else { finish(lanes) }
            }
        }
    }
}

extension WinogradTiles where Transform: WinogradGradientTransform {
    /// Computes dM = A dY Aᵀ for each tile of `range`: reads the output gradient `gradient` `[N, H, W, C]` and writes
    /// tile i of the range to row i of `target`.
    ///
    /// Lanes after the last channel are undefined, as in ``gatherInput(_:_:zeros:stage:target:_:)``.
    func gatherOutputGradient(
        _ gradient: Floats,
        _ range: Range<Int>,
        stage: MutableFloats,
        target: MutableFloats,
        _ layout: WinogradLayout
    ) {
        let (patch, channels) = (Transform.patch, shape.outputChannels)
        for (index, tile) in range.enumerated() {
            let (pixel, rows, columns) = outputPlace(tile)
            let base = gradient + pixel * channels
            for channel in Swift.stride(from: 0, to: channels, by: 8) {
                for column in 0..<Transform.tile {
                    Transform.outputGradient(
                        { row in
                            guard row < rows, column < columns else { return .zero }
                            return load(base + (row * shape.outputWidth + column) * channels + channel)
                        },
                        { row, value in store(value, stage + (row * patch + column) * 8) }
                    )
                }
                let to = target + index * layout.tile + channel / 8 * layout.group
                for row in 0..<patch {
                    Transform.outputGradient(
                        { column in load(stage + (row * patch + column) * 8) },
                        { column, value in store(value, to + (row * patch + column) * layout.frequency) }
                    )
                }
            }
        }
    }
}
