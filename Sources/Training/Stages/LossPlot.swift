/// The plot of the losses of a stage: the loss of each step and the moving average.
enum LossPlot {
    /// The largest number of points in a line.
    private static let points = 600
    /// The largest number of steps in the moving average.
    private static let window = 100

    static func chart(_ losses: [Float], title: String) -> Chart {
        let values = losses.map { Double($0) }
        let window = max(1, min(window, values.count / 10))
        var mean: [(x: Double, y: Double)] = []
        var sum = 0.0
        for (index, value) in values.enumerated() {
            sum += value
            if index >= window { sum -= values[index - window] }
            mean.append((Double(index + 1), sum / Double(min(index + 1, window))))
        }
        let every = max(1, values.count / points)
        func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
            points.enumerated().filter { $0.offset % every == 0 || $0.offset == points.count - 1 }.map(\.element)
        }
        let each = values.enumerated().map { (x: Double($0.offset + 1), y: $0.element) }
        // The losses of the first steps would compress the rest of the plot.
        let sorted = values.sorted()
        let top = sorted.isEmpty ? 1 : sorted[min(sorted.count - 1, sorted.count * 995 / 1000)]
        let bottom = min(sorted.first ?? 0, 0)
        return Chart(
            title: title,
            xLabel: "step",
            yLabel: "loss",
            x: 0...Double(max(values.count, 1)),
            y: bottom...max(top * 1.05, bottom + 1e-6),
            layers: [.line(thinned(each), .lightBlue), .line(thinned(mean), .blue)],
            legend: [("each step", .lightBlue), ("average of \(window)", .blue)]
        )
    }
}
