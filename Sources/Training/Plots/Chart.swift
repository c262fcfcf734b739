import Codecs
import Foundation
public import Imaging

/// A chart with two linear axes that contains line plots, bars and vertical lines.
public struct Chart {
    /// A layer; later layers are drawn over earlier ones.
    public enum Layer {
        /// A line through points.
        case line([(x: Double, y: Double)], Color)
        /// A bar from 0 to `y` over each range of x.
        case bars([(x: ClosedRange<Double>, y: Double)], Color)
        /// A vertical line.
        case verticalLine(x: Double, Color)
    }

    /// The labels above, below and to the left of the frame.
    public let title, xLabel, yLabel: String
    /// The ranges of the axes.
    public let x, y: ClosedRange<Double>
    /// The layers, in drawing order.
    public var layers: [Layer] = []
    /// The names of the colors, in lines below the chart.
    public var legend: [(text: String, color: Color)] = []

    /// Creates a chart.
    public init(
        title: String,
        xLabel: String,
        yLabel: String,
        x: ClosedRange<Double>,
        y: ClosedRange<Double>,
        layers: [Layer] = [],
        legend: [(text: String, color: Color)] = []
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.x = x
        self.y = y
        self.layers = layers
        self.legend = legend
    }

    private static let width = 720
    private static let frame = (left: 90, right: 700, top: 60, bottom: 410)
    private static let lineHeight = 20

    /// The chart as an image.
    public var image: Image {
        let frame = Self.frame
        let names = legendLines
        let legendTop = frame.bottom + 64
        var canvas = Canvas(width: Self.width, height: legendTop + names.count * Self.lineHeight + 6)
        let middle = (frame.left + frame.right) / 2
        canvas.text(title, x: middle, y: 8, .middle, height: 22)
        canvas.text(xLabel, x: middle, y: frame.bottom + 36, .middle)
        canvas.text(yLabel, x: 8, y: frame.top - 26)
        for value in Self.ticks(x) {
            let place = Int(position(x: value, y: 0).x)
            canvas.fill(.lightGray, x: place...place, y: frame.top...frame.bottom)
            canvas.text(Self.label(value), x: place, y: frame.bottom + 10, .middle)
        }
        for value in Self.ticks(y) {
            let place = Int(position(x: 0, y: value).y)
            canvas.fill(.lightGray, x: frame.left...frame.right, y: place...place)
            canvas.text(Self.label(value), x: frame.left - 8, y: place - 10, .right)
        }
        for layer in layers { draw(layer, on: &canvas) }
        for edge in [frame.left, frame.right] { canvas.fill(.gray, x: edge...edge, y: frame.top...frame.bottom) }
        for edge in [frame.top, frame.bottom] { canvas.fill(.gray, x: frame.left...frame.right, y: edge...edge) }
        for (row, line) in names.enumerated() {
            let top = legendTop + row * Self.lineHeight
            for (left, entry) in line {
                canvas.fill(entry.color, x: left...left + 18, y: top + 5...top + 14)
                canvas.text(entry.text, x: left + 26, y: top)
            }
        }
        return canvas.image
    }

    /// The entries of the legend in lines, each with the place of its left end.
    private var legendLines: [[(left: Int, entry: (text: String, color: Color))]] {
        var (lines, left) = ([[(left: Int, entry: (text: String, color: Color))]](), Self.width)
        for entry in legend {
            let width = 26 + Font.width(of: entry.text, height: Self.lineHeight)
            if left + width > Self.frame.right {
                lines.append([])
                left = Self.frame.left
            }
            lines[lines.count - 1].append((left, entry))
            left += width + 28
        }
        return lines
    }

    private func draw(_ layer: Layer, on canvas: inout Canvas) {
        switch layer {
        case .line(let points, let color):
            for (start, end) in zip(points, points.dropFirst()) {
                canvas.line(color, from: position(x: start.x, y: start.y), to: position(x: end.x, y: end.y))
            }
        case .bars(let bars, let color):
            for bar in bars where bar.y > 0 {
                let (low, high) = (position(x: bar.x.lowerBound, y: 0), position(x: bar.x.upperBound, y: bar.y))
                guard high.x - 1 >= low.x else { continue }
                canvas.fill(color, x: Int(low.x)...Int(high.x - 1), y: Int(high.y)...Int(low.y), opacity: 0.55)
            }
        case .verticalLine(let value, let color):
            let (low, high) = (position(x: value, y: y.lowerBound), position(x: value, y: y.upperBound))
            canvas.line(color, from: low, to: high)
        }
    }

    /// Converts a point of the axes to canvas coordinates; points outside the frame are moved to its border.
    private func position(x valueX: Double, y valueY: Double) -> (x: Double, y: Double) {
        let frame = Self.frame
        func share(_ value: Double, _ range: ClosedRange<Double>) -> Double {
            let extent = range.upperBound - range.lowerBound
            guard value.isFinite, extent > 0 else { return 0 }
            return min(max((value - range.lowerBound) / extent, 0), 1)
        }
        return (
            Double(frame.left) + share(valueX, x) * Double(frame.right - frame.left),
            Double(frame.bottom) - share(valueY, y) * Double(frame.bottom - frame.top)
        )
    }

    /// Returns about five round values within `range`.
    public static func ticks(_ range: ClosedRange<Double>) -> [Double] {
        let extent = range.upperBound - range.lowerBound
        guard extent > 0, extent.isFinite else { return [range.lowerBound] }
        let power = pow(10, (log10(extent / 5)).rounded(.down))
        let step = [1, 2, 5, 10].map { $0 * power }.first { extent / $0 <= 6 } ?? extent
        let first = (range.lowerBound / step).rounded(.up)
        let last = (range.upperBound / step).rounded(.down)
        guard first <= last else { return [range.lowerBound] }
        return stride(from: first, through: last, by: 1).map { $0 * step }
    }

    private static func label(_ value: Double) -> String {
        abs(value) < 1e-12 ? "0" : String(format: abs(value) >= 1e6 ? "%.2g" : "%.6g", value)
    }

    /// Writes the chart as a PNG file.
    public func write(to path: String) throws {
        try Data(PNG.encode(image)).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
