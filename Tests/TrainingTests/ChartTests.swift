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
        var canvas = Canvas(width: 40, height: 40)
        canvas.line(.black, from: (x: -5, y: 10), to: (x: 60, y: 10), thickness: 2)
        #expect(canvas.image[9, 20] < 0.2 && canvas.image[3, 20] == 1)
        canvas.text("I", x: 0, y: 0, height: 38)
        // The letter's stem is in the middle of its nine columns, from below the ascent to the baseline.
        #expect(canvas.image[18, 4] < 0.2 && canvas.image[18, 0] == 1 && canvas.image[18, 8] == 1)
        #expect(canvas.image[3, 4] == 1 && canvas.image[33, 4] == 1)
        canvas.text("wide text that ends outside", x: 30, y: 15)
    }

    @Test("The legend is below the chart, in as many lines as it needs")
    func legend() {
        var chart = Chart(title: "t", xLabel: "x", yLabel: "y", x: 0...1, y: 0...1)
        let bare = chart.image
        chart.legend = [("first", .blue), ("second", .orange)]
        let one = chart.image
        #expect(one.height > bare.height)
        #expect(Array(one.samples.prefix(474 * 3 * 720)) == Array(bare.samples.prefix(474 * 3 * 720)))
        chart.legend += [(String(repeating: "long ", count: 10), .gray)]
        #expect(chart.image.height == one.height + 20)
    }
}
