/// The 4x4 tiles that cover the output planes of a batch, and the way of a tile into the Winograd
/// domain and back.
///
/// In the Winograd domain a block of T tiles is 36 matrices `[T, channels]`, one for each of the 6x6
/// frequencies, one behind the other.
struct WinogradTiles {
    let shape: ConvolutionShape
    /// Tiles down and across one image.
    let down, across: Int

    init(_ shape: ConvolutionShape) {
        precondition(
            shape.kernel == 3 && shape.stride == 1 && shape.padding == 1,
            "Winograd needs 3x3, stride 1, padding 1: \(shape)"
        )
        self.shape = shape
        down = (shape.outputHeight + 3) / 4
        across = (shape.outputWidth + 3) / 4
    }

    /// The tiles of one image.
    var perImage: Int { down * across }

    /// Floats of scratch for one tile while it is transformed in one dimension.
    static let stage = 36 * 8

    /// The image and the first output row and column of a tile.
    @inline(__always)
    private func place(_ tile: Int) -> (image: Int, row: Int, column: Int) {
        let (image, within) = tile.quotientAndRemainder(dividingBy: perImage)
        let (row, column) = within.quotientAndRemainder(dividingBy: across)
        return (image, row * 4, column * 4)
    }

    /// V = Bᵀ d B for each tile of `range`: reads `input` `[N, H, W, C]`, zeros beyond the border,
    /// writes `target` `[36, range.count, C]`.
    func gatherInput(_ input: Floats, _ range: Range<Int>, stage: MutableFloats, target: MutableFloats) {
        let channels = shape.inputChannels
        let plane = range.count * channels
        for (index, tile) in range.enumerated() {
            let (image, top, left) = place(tile)
            let base = input + image * shape.inputPixels * channels
            // The patch starts one pixel above and left of the output tile (padding 1).
            let rows = max(0, 1 - top)..<min(6, shape.inputHeight - top + 1)
            let columns = max(0, 1 - left)..<min(6, shape.inputWidth - left + 1)
            forEachVector(channels) { start, lanes in
                @inline(__always)
                func pixel(_ row: Int, _ column: Int) -> Vector {
                    guard rows.contains(row), columns.contains(column) else { return .zero }
                    return load(
                        base + ((top + row - 1) * shape.inputWidth + left + column - 1) * channels + start,
                        lanes
                    )
                }
                for column in 0..<6 {
                    let t = WinogradTransform.input(
                        (
                            pixel(0, column), pixel(1, column), pixel(2, column), pixel(3, column),
                            pixel(4, column), pixel(5, column)
                        )
                    )
                    storeColumn(t, stage, column)
                }
                let out = target + index * channels + start
                for row in 0..<6 {
                    let r = WinogradTransform.input(loadRow(stage, row))
                    storeFrequencies(r, out + row * 6 * plane, plane, lanes)
                }
            }
        }
    }

    /// dM = A dY Aᵀ for each tile of `range`: reads `gradient` `[N, H, W, C]` of the output, writes
    /// `target` `[36, range.count, C]`.
    func gatherOutputGradient(_ gradient: Floats, _ range: Range<Int>, stage: MutableFloats, target: MutableFloats) {
        let channels = shape.outputChannels
        let plane = range.count * channels
        for (index, tile) in range.enumerated() {
            let (image, top, left) = place(tile)
            let base = gradient + image * shape.outputPixels * channels
            let rows = min(4, shape.outputHeight - top)
            let columns = min(4, shape.outputWidth - left)
            forEachVector(channels) { start, lanes in
                @inline(__always)
                func pixel(_ row: Int, _ column: Int) -> Vector {
                    guard row < rows, column < columns else { return .zero }
                    return load(base + ((top + row) * shape.outputWidth + left + column) * channels + start, lanes)
                }
                for column in 0..<4 {
                    let t = WinogradTransform.outputGradient(
                        (pixel(0, column), pixel(1, column), pixel(2, column), pixel(3, column))
                    )
                    storeColumn(t, stage, column)
                }
                let out = target + index * channels + start
                for row in 0..<6 {
                    let s = stage + row * 48
                    let r = WinogradTransform.outputGradient((load(s), load(s + 8), load(s + 16), load(s + 24)))
                    storeFrequencies(r, out + row * 6 * plane, plane, lanes)
                }
            }
        }
    }

    /// y = epilogue(Aᵀ M A) for each tile of `range`: reads `source` `[36, range.count, C]`, writes the
    /// tiles' pixels of `output` `[N, H, W, C]`.
    func scatterOutput(
        _ source: Floats,
        _ range: Range<Int>,
        stage: MutableFloats,
        epilogue: Epilogue,
        output: MutableFloats
    ) {
        let channels = shape.outputChannels
        let plane = range.count * channels
        for (index, tile) in range.enumerated() {
            let (image, top, left) = place(tile)
            let base = image * shape.outputPixels
            let rows = min(4, shape.outputHeight - top)
            let columns = min(4, shape.outputWidth - left)
            forEachVector(channels) { start, lanes in
                let from = source + index * channels + start
                for column in 0..<6 {
                    let m = from + column * plane
                    let t = WinogradTransform.output(
                        (
                            load(m, lanes), load(m + 6 * plane, lanes), load(m + 12 * plane, lanes),
                            load(m + 18 * plane, lanes), load(m + 24 * plane, lanes), load(m + 30 * plane, lanes)
                        )
                    )
                    let s = stage + column * 8
                    store(t.0, s)
                    store(t.1, s + 48)
                    store(t.2, s + 96)
                    store(t.3, s + 144)
                }
                let bias = epilogue.bias.map { load($0 + start, lanes) } ?? .zero
                for row in 0..<rows {
                    let y = WinogradTransform.output(loadRow(stage, row))
                    let at = (base + (top + row) * shape.outputWidth + left) * channels + start
                    for column in 0..<columns {
                        let value = column == 0 ? y.0 : column == 1 ? y.1 : column == 2 ? y.2 : y.3
                        let place = at + column * channels
                        var result = value + bias
                        if let residual = epilogue.residual { result += load(residual + place, lanes) }
                        if epilogue.relu { result = larger(result, .zero) }
                        store(result, output + place, lanes)
                    }
                }
            }
        }
    }

    @inline(__always)
    private func storeColumn(_ t: WinogradTransform.Six, _ stage: MutableFloats, _ column: Int) {
        let s = stage + column * 8
        store(t.0, s)
        store(t.1, s + 48)
        store(t.2, s + 96)
        store(t.3, s + 144)
        store(t.4, s + 192)
        store(t.5, s + 240)
    }

    @inline(__always)
    private func loadRow(_ stage: MutableFloats, _ row: Int) -> WinogradTransform.Six {
        let s = stage + row * 48
        return (load(s), load(s + 8), load(s + 16), load(s + 24), load(s + 32), load(s + 40))
    }

    @inline(__always)
    private func storeFrequencies(_ r: WinogradTransform.Six, _ out: MutableFloats, _ plane: Int, _ lanes: Int) {
        store(r.0, out, lanes)
        store(r.1, out + plane, lanes)
        store(r.2, out + 2 * plane, lanes)
        store(r.3, out + 3 * plane, lanes)
        store(r.4, out + 4 * plane, lanes)
        store(r.5, out + 5 * plane, lanes)
    }
}
