public import Imaging

/// A color with components in [0, 1].
public struct Color: Sendable, Hashable {
    /// The components.
    public let red, green, blue: Float

    /// Creates a color.
    public init(red: Float, green: Float, blue: Float) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// Black.
    public static let black = Color(red: 0.1, green: 0.1, blue: 0.1)
    /// Gray.
    public static let gray = Color(red: 0.55, green: 0.55, blue: 0.55)
    /// Light gray.
    public static let lightGray = Color(red: 0.88, green: 0.88, blue: 0.88)
    /// Blue.
    public static let blue = Color(red: 0.12, green: 0.42, blue: 0.72)
    /// Orange.
    public static let orange = Color(red: 0.9, green: 0.45, blue: 0.05)
    /// Light blue.
    public static let lightBlue = Color(red: 0.68, green: 0.8, blue: 0.92)
}

/// An image to draw on, initially white.
public struct Canvas {
    /// The current image.
    public private(set) var image: Image

    /// Creates a white image of `width` x `height` pixels.
    public init(width: Int, height: Int) { image = Image(height: height, width: width, channels: 3, filledWith: 1) }

    /// Blends `color` over a pixel with `opacity`.
    ///
    /// Pixels outside the image are ignored.
    public mutating func blend(_ color: Color, x: Int, y: Int, opacity: Float = 1) {
        guard (0..<image.width).contains(x), (0..<image.height).contains(y) else { return }
        for (channel, value) in [color.red, color.green, color.blue].enumerated() {
            image[y, x, channel] += (value - image[y, x, channel]) * opacity
        }
    }

    /// Blends `color` over a rectangle.
    public mutating func fill(_ color: Color, x: ClosedRange<Int>, y: ClosedRange<Int>, opacity: Float = 1) {
        for row in y { for column in x { blend(color, x: column, y: row, opacity: opacity) } }
    }

    /// Draws an antialiased line of `thickness` pixels.
    public mutating func line(
        _ color: Color,
        from start: (x: Double, y: Double),
        to end: (x: Double, y: Double),
        thickness: Double = 1.6
    ) {
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        let squares = dx * dx + dy * dy
        let reach = thickness / 2 + 1
        for y in Int(min(start.y, end.y) - reach)...Int(max(start.y, end.y) + reach) {
            for x in Int(min(start.x, end.x) - reach)...Int(max(start.x, end.x) + reach) {
                // The point of the line nearest to the center of the pixel.
                let (px, py) = (Double(x) + 0.5 - start.x, Double(y) + 0.5 - start.y)
                let share = squares > 0 ? min(max((px * dx + py * dy) / squares, 0), 1) : 0
                let (ox, oy) = (px - share * dx, py - share * dy)
                let distance = (ox * ox + oy * oy).squareRoot()
                let opacity = min(max(thickness / 2 + 0.5 - distance, 0), 1)
                if opacity > 0 { blend(color, x: x, y: y, opacity: Float(opacity)) }
            }
        }
    }

    /// The horizontal alignment of a text.
    public enum Anchor {
        /// The point is the left end, the middle, or the right end of the text.
        case left, middle, right
    }

    /// Draws text in a line of `height` pixels with its top at `y`.
    public mutating func text(
        _ text: String,
        x: Int,
        y: Int,
        _ anchor: Anchor = .left,
        color: Color = .black,
        height: Int = 20
    ) {
        guard let mask = Font.coverage(of: text, height: height) else { return }
        let start = anchor == .left ? x : anchor == .middle ? x - mask.width / 2 : x - mask.width
        for row in 0..<mask.height {
            for column in 0..<mask.width where mask[row, column, 0] > 0 {
                blend(color, x: start + column, y: y + row, opacity: min(mask[row, column, 0], 1))
            }
        }
    }
}
