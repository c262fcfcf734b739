import Console

/// Applies `body` to `inputs` in batches of `size`, and shows the progress under `title`; returns all results in order.
///
/// Throws ``Interrupted`` with `phase` before a batch if `isInterrupted` returns true.
func mapBatches<Input, Output>(
    _ inputs: [Input],
    size: Int,
    title: String,
    phase: Interrupted.Phase,
    isInterrupted: () -> Bool,
    _ body: ([Input]) -> [Output]
) throws(Interrupted) -> [Output] {
    var progress = ProgressReporter(title, total: inputs.count)
    var outputs: [Output] = []
    let size = max(size, 1)
    for start in stride(from: 0, to: inputs.count, by: size) {
        if isInterrupted() {
            progress.endLine()
            throw Interrupted(phase)
        }
        outputs += body(Array(inputs[start..<min(start + size, inputs.count)]))
        progress.update(outputs.count)
    }
    return outputs
}
