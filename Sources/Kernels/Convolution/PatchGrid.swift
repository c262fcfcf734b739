/// The patches that a convolution reads: a grid of pixels, each with the rows of its patch in the source.
///
/// Channels are innermost, so a row of a patch, `tapColumns` pixels of `channels` numbers, is one run of
/// floats once the border's zeros are in place. The forward pass is such a grid, and so is each phase of
/// the data gradient.
struct PatchGrid {
    /// The source plane.
    let sourceHeight, sourceWidth, channels: Int
    /// Rows and columns of zeros before the source; behind it are as many as the patches reach.
    let top, left: Int
    /// Source pixels from one pixel of the grid to the next.
    let step: Int
    /// The patch.
    let tapRows, tapColumns: Int
    /// The grid.
    let height, width: Int

    /// Floats of one run.
    var run: Int { tapColumns * channels }
    /// Pixels of the grid in one image.
    var pixels: Int { height * width }

    // MARK: Bands

    /// Grid pixels that are worked on together: whole rows of one image, or several whole images.
    struct Band {
        let images, rows: Range<Int>
    }

    /// Pixels that a band aims at: sixteen groups of six.
    private var target: Int { 96 }
    private var rowsPerBand: Int { min(height, max(1, target / width)) }
    private var imagesPerBand: Int { max(1, target / pixels) }
    private var bandsPerImage: Int { (height + rowsPerBand - 1) / rowsPerBand }

    /// The most pixels of a band.
    var largestBand: Int { imagesPerBand * rowsPerBand * width }

    /// The bands of a batch.
    func bandCount(batch: Int) -> Int {
        bandsPerImage > 1 ? batch * bandsPerImage : (batch + imagesPerBand - 1) / imagesPerBand
    }

    /// The band with a number below ``bandCount(batch:)``.
    func band(_ index: Int, batch: Int) -> Band {
        guard bandsPerImage > 1 else {
            let first = index * imagesPerBand
            return Band(images: first..<min(batch, first + imagesPerBand), rows: 0..<height)
        }
        let (image, part) = index.quotientAndRemainder(dividingBy: bandsPerImage)
        let first = part * rowsPerBand
        return Band(images: image..<image + 1, rows: first..<min(height, first + rowsPerBand))
    }

    // MARK: Sources

    /// Source rows and columns under `rows` rows, or all columns, of the grid.
    private func extent(_ count: Int, _ taps: Int) -> Int { (count - 1) * step + taps }
    private var isWithinSource: Bool {
        let isEmpty = tapRows == 0 || tapColumns == 0
        let needsBorder =
            top != 0 || left != 0 || extent(height, tapRows) > sourceHeight || extent(width, tapColumns) > sourceWidth
        return isEmpty || !needsBorder
    }

    /// Floats of scratch for ``source(_:_:scratch:)``.
    var scratchCount: Int {
        guard !isWithinSource else { return 0 }
        return imagesPerBand * extent(rowsPerBand, tapRows) * extent(width, tapColumns) * channels
    }

    /// Where the patches of a band are read.
    struct Source {
        /// The first run of the band's first pixel.
        let base: Floats
        /// Floats from one source row to the next, and from one image to the next.
        let row, image: Int
    }

    /// The part of `input` `[N, H, W, C]` under a band: where it is if no border is needed, else copied to
    /// `scratch` with its border.
    func source(_ input: Floats, _ band: Band, scratch: MutableFloats) -> Source {
        let plane = sourceHeight * sourceWidth * channels
        let first = band.rows.lowerBound * step - top
        if isWithinSource {
            let start = band.images.lowerBound * plane + first * sourceWidth * channels
            return Source(base: input + start, row: sourceWidth * channels, image: plane)
        }
        let (rows, columns) = (extent(band.rows.count, tapRows), extent(width, tapColumns))
        let inside = min(sourceWidth, columns - left)
        var target = scratch
        for image in band.images {
            for row in first..<first + rows {
                if (0..<sourceHeight).contains(row) {
                    target.update(repeating: 0, count: left * channels)
                    let from = input + image * plane + row * sourceWidth * channels
                    (target + left * channels).update(from: from, count: inside * channels)
                    let behind = columns - left - inside
                    (target + (left + inside) * channels).update(repeating: 0, count: behind * channels)
                } else {
                    target.update(repeating: 0, count: columns * channels)
                }
                target += columns * channels
            }
        }
        return Source(base: Floats(scratch), row: columns * channels, image: rows * columns * channels)
    }

    /// Writes to `table` how far each pixel of a band is from its first one, row by row and image by image,
    /// where neighbouring pixels, rows and images are so many floats apart.
    func tabulate(_ band: Band, pixel: Int, row: Int, image: Int, _ table: UnsafeMutablePointer<Int32>) {
        var index = 0
        for i in 0..<band.images.count {
            for y in 0..<band.rows.count {
                for x in 0..<width {
                    table[index] = Int32(truncatingIfNeeded: i * image + y * row + x * pixel)
                    index += 1
                }
            }
        }
    }
}
