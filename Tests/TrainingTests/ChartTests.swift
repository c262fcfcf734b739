import Training
import Imaging
import Testing

/// The building blocks of charts.
@Suite struct ChartTests {
    @Test(
        "Ticks are within the range, and there are three to seven",
        arguments: [0.0...1.0, -3.7...2.2, 0...3000, 0.0012...0.0019, -1e6...1e6, 0...1e-7]
    )
    func ticks(_ range: ClosedRange<Double>) {
        let ticks = Chart.ticks(range)
        #expect((3...7).contains(ticks.count), "\(ticks)")
        let slack = (range.upperBound - range.lowerBound) * 1e-9
        #expect(ticks.allSatisfy { $0 >= range.lowerBound - slack && $0 <= range.upperBound + slack })
    }

    @Test("A range of a single value still makes a chart")
    func degenerate() {
        #expect(Chart.ticks(2...2) == [2])
        let chart = Chart(title: "flat", xLabel: "x", yLabel: "y", x: 1...1, y: 0...0, layers: [.line([(1, 0)], .blue)])
        #expect(chart.image.width == 720 && chart.image.height == 480)
    }

    @Test("A line and a letter are drawn in the right place and clipped to the image")
    func drawing() {
        var canvas = Canvas(width: 40, height: 20)
        canvas.line(.black, from: (x: -5, y: 10), to: (x: 60, y: 10), thickness: 2)
        #expect(canvas.image[9, 20] < 0.2 && canvas.image[3, 20] == 1)
        canvas.text("I", x: 0, y: 0, scale: 1)
        // The letter's stem is in its third column.
        #expect(canvas.image[3, 2] < 0.2 && canvas.image[3, 0] == 1)
        canvas.text("wide text that ends outside", x: 30, y: 15)
    }
}
