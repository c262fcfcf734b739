import Console
import Foundation

/// A stage of training: a state that each step updates and that a checkpoint can store.
protocol Stage {
    /// The name of the stage, as in its file names.
    static var name: String { get }
    /// The total number of steps.
    var steps: Int { get }
    /// Runs step `index` and returns its loss.
    mutating func step(_ index: Int) throws -> Float
    /// The numbers of the state.
    var arrays: [String: [Float]] { get }
    /// Restores the state from a checkpoint.
    mutating func restore(_ checkpoint: Checkpoint) throws
}

/// Runs stages with progress reports and checkpoints, and resumes them.
struct StageRunner {
    /// The folder of checkpoints and losses.
    let folder: String
    /// The digest that identifies the run that a checkpoint belongs to.
    let recipeDigest: String
    /// Returns true if the run must save a checkpoint and stop.
    let isInterrupted: @Sendable () -> Bool
    /// Is kept up to date, for a thread that stops the run during a long step.
    let snapshot: StepSnapshot
    /// The time between two checkpoints.
    var checkpointEvery: Duration = .seconds(60)
    /// The duration of a step from which its snapshot is worth a copy of the state.
    private static let longStep: Duration = .milliseconds(300)

    /// Runs `stage` to its end, starting from its checkpoint if there is one.
    ///
    /// Throws an error if a loss is not finite.
    func run<S: Stage>(_ stage: inout S) throws {
        let path = "\(folder)/\(S.name).checkpoint.safetensors"
        var checkpoint = Checkpoint(stage: S.name, recipeDigest: recipeDigest, step: 0, arrays: [:], losses: [])
        if let saved = try Checkpoint.load(path: path, stage: S.name, recipeDigest: recipeDigest) {
            try stage.restore(saved)
            checkpoint = saved
        }
        var progress = ProgressReporter(S.name, total: stage.steps, done: checkpoint.step)
        var lastSaved = ContinuousClock.now
        // Until it is known how long a step takes, it is assumed to be long.
        var isLong = true
        defer { snapshot.end() }
        while checkpoint.step < stage.steps {
            if isLong {
                checkpoint.arrays = stage.arrays
                snapshot.beginLongStep(after: checkpoint, path: path)
                // Otherwise the next assignment would copy all arrays once more.
                checkpoint.arrays = [:]
            } else {
                snapshot.beginShortStep()
            }
            let start = ContinuousClock.now
            let loss = try stage.step(checkpoint.step)
            isLong = ContinuousClock.now - start > Self.longStep
            // From here on the stage saves its own state.
            snapshot.beginShortStep()
            guard loss.isFinite else {
                throw DataError(S.name, "the loss is not finite at step \(checkpoint.step); lower the learning rate")
            }
            checkpoint.step += 1
            checkpoint.losses.append(loss)
            progress.update(checkpoint.step, "loss \(String(format: "%.4f", Self.recent(checkpoint.losses)))")
            let isStopping = isInterrupted()
            let mustSave = checkpoint.step == stage.steps || isStopping
            if mustSave || ContinuousClock.now - lastSaved > checkpointEvery {
                checkpoint.arrays = stage.arrays
                try checkpoint.save(path: path)
                try writeLosses(checkpoint.losses, S.name)
                lastSaved = .now
            }
            if isStopping {
                progress.endLine()
                throw Interrupted(.training)
            }
        }
    }

    /// The average of the most recent losses, because the loss of a single step is noisy.
    private static func recent(_ losses: [Float]) -> Float {
        let last = losses.suffix(50)
        return last.reduce(0, +) / Float(last.count)
    }

    private func writeLosses(_ losses: [Float], _ name: String) throws {
        let lines = losses.enumerated().map { "\($0.offset + 1),\($0.element)\n" }
        let text = "step,loss\n" + lines.joined()
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).losses.csv"), options: .atomic)
        try LossPlot.chart(losses, title: "\(name): loss").write(to: "\(folder)/\(name).losses.png")
    }
}
