import DIA
import Imaging

/// Jobs of one kind for one model that run together.
struct Batch {
    let jobs: [Job]

    /// Runs the jobs; returns closures that call the completion handlers.
    func run(on model: Model, since start: ContinuousClock.Instant) -> [() -> Void] {
        var scoring: [(job: Job, image: Image, done: Job.Completion<ScoreBank.Result>)] = []
        var dissolving: [(job: Job, image: Image, step: Int, done: Job.Completion<Image>)] = []
        var completions: [() -> Void] = []
        for job in jobs {
            switch job.work {
            case .score(let image, let done): scoring.append((job, image, done))
            case .dissolve(let image, let step, let done): dissolving.append((job, image, step, done))
            case .scoreMap(let image, let done):
                let map = timed(model.scoreMap(image), job, start)
                completions.append { done(.success(map)) }
            case .verify(let done):
                let outcome = timed(model.verify(), job, start)
                completions.append { done(.success(outcome)) }
            }
        }
        if !scoring.isEmpty {
            for (result, entry) in zip(model.score(scoring.map(\.image)), scoring) {
                let result = timed(result, entry.job, start)
                completions.append { entry.done(.success(result)) }
            }
        }
        if !dissolving.isEmpty {
            let images = model.dissolve(dissolving.map(\.image), at: dissolving.map(\.step))
            for (image, entry) in zip(images, dissolving) {
                let image = timed(image, entry.job, start)
                completions.append { entry.done(.success(image)) }
            }
        }
        return completions
    }

    private func timed<Value>(_ value: Value, _ job: Job, _ start: ContinuousClock.Instant) -> Timed<Value> {
        Timed(value: value, queued: start - job.arrived, executionTime: .now - start)
    }
}
