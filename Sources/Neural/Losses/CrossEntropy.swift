import Glibc

/// The cross-entropy of a softmax over class scores.
public enum CrossEntropy {
    /// Returns the loss averaged over the rows of `logits` `[rows, classes]` against `labels`, and its gradient.
    public static func loss(
        _ logits: [Float],
        classes: Int,
        labels: [Int]
    ) -> (loss: Float, gradient: [Float]) {
        let rows = labels.count
        precondition(logits.count == rows * classes, "\(logits.count) scores, expected \(rows) rows of \(classes)")
        var loss = 0.0
        var gradient = logits
        for (row, label) in labels.enumerated() {
            let range = row * classes..<(row + 1) * classes
            let peak = logits[range].max() ?? 0
            let sum = range.reduce(0.0) { $0 + Double(expf(logits[$1] - peak)) }
            loss += log(sum) - Double(logits[range.lowerBound + label] - peak)
            for index in range {
                let share = Double(expf(logits[index] - peak)) / sum
                gradient[index] = Float((share - (index - range.lowerBound == label ? 1 : 0)) / Double(rows))
            }
        }
        return (Float(loss / Double(rows)), gradient)
    }
}

/// The L1 loss: the average of |prediction - target|.
public enum L1Loss {
    /// Returns the loss and its gradient with respect to `prediction`.
    public static func loss(_ prediction: [Float], target: [Float]) -> (loss: Float, gradient: [Float]) {
        precondition(prediction.count == target.count, "prediction and target have different sizes")
        var sum = 0.0
        var gradient = prediction
        let share = 1 / Float(prediction.count)
        for index in prediction.indices {
            let difference = prediction[index] - target[index]
            sum += Double(abs(difference))
            gradient[index] = difference > 0 ? share : difference < 0 ? -share : 0
        }
        return (Float(sum / Double(prediction.count)), gradient)
    }
}
