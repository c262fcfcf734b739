/// A rectangle of pixels that may extend over the border of a plane, where it is padded with zeros.
struct PlaneWindow {
    /// The rows and columns of the window that are inside the plane; the others are padding.
    let rows, columns: Range<Int>
    /// The number of rows and columns of the window.
    let height, width: Int
    /// The position of the first pixel of the window in the plane, in pixels; outside the plane if it is padding.
    let origin: Int
    /// The number of columns of the plane.
    private let planeWidth: Int

    /// Creates a window of `height` x `width` pixels with its first pixel at row `top` and column `left` of a plane of
    /// `planeHeight` x `planeWidth` pixels.
    @inline(__always)
    init(top: Int, left: Int, height: Int, width: Int, planeHeight: Int, planeWidth: Int) {
        rows = Self.inside(start: top, count: height, length: planeHeight)
        columns = Self.inside(start: left, count: width, length: planeWidth)
        self.height = height
        self.width = width
        self.planeWidth = planeWidth
        origin = top * planeWidth + left
    }

    /// The indices in `0..<count` that are inside `0..<length` after adding `start`.
    @inline(__always)
    private static func inside(start: Int, count: Int, length: Int) -> Range<Int> {
        let first = max(0, -start)
        return first..<max(first, min(count, length - start))
    }

    /// Copies the window from `plane` to `target`, `[height, width, channels]`, with zeros where it is padding.
    func copy(_ plane: Floats, channels: Int, to target: MutableFloats) {
        let leading = columns.lowerBound * channels
        let copied = columns.count * channels
        let trailing = (width - columns.upperBound) * channels
        for row in 0..<height {
            let line = target + row * width * channels
            guard rows.contains(row) else {
                line.update(repeating: 0, count: width * channels)
                continue
            }
            let source = plane + (origin + row * planeWidth + columns.lowerBound) * channels
            line.update(repeating: 0, count: leading)
            (line + leading).update(from: source, count: copied)
            (line + leading + copied).update(repeating: 0, count: trailing)
        }
    }
}
