/// A grid of output pixels, each with the patch of the source that a convolution reads for it.
///
/// Channels are innermost, so one row of a patch, `tapColumns` pixels of `channels` numbers, is a contiguous run
/// of floats once the zero padding is in place. The forward pass is one such grid, and so is each phase of the
/// input gradient.
struct PatchGrid {
    /// The rows, columns and channels of the source plane.
    let sourceHeight, sourceWidth, channels: Int
    /// The zero rows above and zero columns left of the source, negative if the first patch starts inside it; below
    /// and right of the source, the patches determine the padding.
    let top, left: Int
    /// The stride between grid pixels, in source pixels.
    let step: Int
    /// The rows and columns of a patch.
    let tapRows, tapColumns: Int
    /// The rows and columns of the grid.
    let height, width: Int

    /// The length of one run in floats.
    var run: Int { tapColumns * channels }
    /// The number of grid pixels in one image.
    var pixels: Int { height * width }

    // MARK: Bands

    /// Grid pixels that are processed together: whole rows of one image, or several whole images.
    struct Band {
        let images, rows: Range<Int>
    }

    /// The target number of pixels in a band: sixteen groups of six.
    private var target: Int { 96 }
    private var rowsPerBand: Int { min(height, max(1, target / width)) }
    private var imagesPerBand: Int { max(1, target / pixels) }
    private var bandsPerImage: Int { (height + rowsPerBand - 1) / rowsPerBand }

    /// The largest number of pixels in a band.
    var largestBand: Int { imagesPerBand * rowsPerBand * width }

    /// The number of bands in a batch.
    func bandCount(batch: Int) -> Int {
        bandsPerImage > 1 ? batch * bandsPerImage : (batch + imagesPerBand - 1) / imagesPerBand
    }

    /// Returns the band with index `index`, less than ``bandCount(batch:)``.
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

    /// The number of source rows or columns that `count` rows or columns of the grid read.
    private func extent(_ count: Int, taps: Int) -> Int { (count - 1) * step + taps }
    private var isWithinSource: Bool {
        let isEmpty = tapRows == 0 || tapColumns == 0
        let needsBorder =
            top != 0 || left != 0
            || extent(height, taps: tapRows) > sourceHeight || extent(width, taps: tapColumns) > sourceWidth
        return isEmpty || !needsBorder
    }

    /// The size in floats of the scratch memory of ``source(_:band:scratch:)``.
    var scratchCount: Int {
        guard !isWithinSource else { return 0 }
        return imagesPerBand * extent(rowsPerBand, taps: tapRows) * extent(width, taps: tapColumns) * channels
    }

    /// The address and strides of the patches of a band.
    struct Source {
        /// The first run of the first pixel of the band.
        let base: Floats
        /// The strides between source rows and between images, in floats.
        let row, image: Int
    }

    /// Returns the part of `input` `[N, H, W, C]` that a band reads: in place if no padding is needed, otherwise
    /// copied to `scratch` with its padding.
    func source(_ input: Floats, band: Band, scratch: MutableFloats) -> Source {
        let plane = sourceHeight * sourceWidth * channels
        let first = band.rows.lowerBound * step - top
        if isWithinSource {
            let start = band.images.lowerBound * plane + first * sourceWidth * channels
            return Source(base: input + start, row: sourceWidth * channels, image: plane)
        }
        let window = PlaneWindow(
            top: first,
            left: -left,
            height: extent(band.rows.count, taps: tapRows),
            width: extent(width, taps: tapColumns),
            planeHeight: sourceHeight,
            planeWidth: sourceWidth
        )
        let row = window.width * channels
        for (index, image) in band.images.enumerated() {
            window.copy(input + image * plane, channels: channels, to: scratch + index * window.height * row)
        }
        return Source(base: Floats(scratch), row: row, image: window.height * row)
    }

    /// Writes the offset of each pixel of a band from its first pixel to `table`, by image, row and column.
    ///
    /// `pixel`, `row` and `image` are the strides between neighboring pixels, rows and images, in floats.
    func tabulate(_ band: Band, pixel: Int, row: Int, image: Int, into table: UnsafeMutablePointer<Int32>) {
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
