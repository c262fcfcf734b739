import Foundation

/// One stage of training: a state that a step moves, and that a checkpoint can hold.
protocol Stage {
    /// The stage's name, as in its files.
    static var name: String { get }
    /// Steps in all.
    var steps: Int { get }
    /// Does step `index` and returns its loss.
    mutating func step(_ index: Int) throws -> Float
    /// The state's numbers.
    var arrays: [String: [Float]] { get }
    /// Takes back the numbers of a checkpoint, `step` steps done.
    mutating func restore(_ checkpoint: Checkpoint) throws
}

/// A run that was asked to stop: its checkpoint is saved, and the same command goes on from there.
public struct Interrupted: Error, CustomStringConvertible {
    /// What was interrupted, and how to go on.
    public let description = "interrupted; the checkpoint is saved, run the same command to go on"
}

/// Runs stages with progress, checkpoints and resume.
struct StageRunner {
    /// Where checkpoints and losses are kept.
    let folder: String
    /// What tells one run's checkpoints from another's.
    let recipeDigest: String
    /// Whether to save and stop.
    let isInterrupted: @Sendable () -> Bool
    /// Time between two checkpoints.
    var checkpointEvery: Duration = .seconds(60)

    /// Runs `stage` to its end, from its checkpoint if there is one.
    ///
    /// A loss that is not finite stops the run: nothing sensible can follow.
    func run<S: Stage>(_ stage: inout S) throws {
        let path = "\(folder)/\(S.name).checkpoint.safetensors"
        var checkpoint = Checkpoint(stage: S.name, recipeDigest: recipeDigest, step: 0, arrays: [:], losses: [])
        if let saved = try Checkpoint.load(path: path, stage: S.name, recipeDigest: recipeDigest) {
            try stage.restore(saved)
            checkpoint = saved
        }
        var progress = ProgressReporter(S.name, total: stage.steps, done: checkpoint.step)
        var lastSaved = ContinuousClock.now
        while checkpoint.step < stage.steps {
            let loss = try stage.step(checkpoint.step)
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
                throw Interrupted()
            }
        }
    }

    /// The mean of the last losses: one step's alone says little.
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
