public import DIA
import DequeModule
import Dispatch
public import Imaging
import Kernels
public import ModelFile
import Synchronization

/// Why the engine did not take a piece of work.
public enum EngineError: Error, Equatable {
    /// The queue is full; `retryAfter` seconds are likely to empty it.
    case busy(retryAfter: Int)
    /// The model gave a number that is not finite.
    case notFinite
    /// The model no longer gives the numbers of its golden set.
    case unsound
}

/// The one owner of the models: a bounded queue, and a thread that runs what waits in batches.
///
/// Work that arrives while the engine runs is run together next; a batch is of one kind and one model.
public final class Engine: Sendable {
    /// How much may wait and how much is run at once.
    public struct Configuration: Sendable {
        /// Threads of the kernels.
        public var threads = 1
        /// Pieces of work that may wait.
        public var queueCapacity = 256
        /// Images run at once, at most; scores fewer where a model has many views.
        public var maximumBatch = 16

        /// The defaults.
        public init() {}
    }

    /// One image's worth of work.
    private enum Work: Sendable {
        case score(Image, @Sendable (ScoreBank.Result) -> Void)
        case dissolve(Image, steps: [Int], @Sendable ([Image]) -> Void)
        case verify(@Sendable (GoldenSet.Outcome?) -> Void)

        var kind: String {
            switch self {
            case .score: "score"
            case .dissolve: "dissolve"
            case .verify: "verify"
            }
        }
    }

    private struct Job: Sendable {
        let model: String
        let work: Work
        let arrived: ContinuousClock.Instant
    }

    private struct State {
        var waiting: Deque<Job> = []
        var isRunning = false
        /// A moving mean of the seconds that one piece of work takes.
        var secondsPerJob = 0.05
        /// Models that failed to give the numbers of their golden sets.
        var unsound: Set<String> = []
    }

    /// The models; touched on `queue` alone, which is what makes `@unchecked Sendable` right.
    private final class Models: @unchecked Sendable {
        let byName: [String: Model]
        init(_ byName: [String: Model]) { self.byName = byName }
    }

    /// What is known of each model, by name.
    public let models: [String: Model.Information]
    private let configuration: Configuration
    private let metrics: ServiceMetrics
    private let loaded: Models
    private let queue = DispatchQueue(label: "dia.engine", qos: .userInitiated)
    private let state = Mutex(State())

    /// Loads each of `directories` and runs a first image through it, so that no request is the first.
    public init(_ directories: [ModelDirectory], _ configuration: Configuration, metrics: ServiceMetrics) throws {
        let workers = Workers(count: configuration.threads)
        var byName: [String: Model] = [:]
        for directory in directories {
            let model = try Model(directory, workers: workers)
            try Self.check(model, directory.manifest)
            byName[directory.manifest.name] = model
        }
        models = byName.mapValues(\.information)
        loaded = Models(byName)
        self.configuration = configuration
        self.metrics = metrics
        metrics.set(queueCapacity: configuration.queueCapacity)
    }

    /// Runs first images through `model`: its golden set, or a black image where it has none.
    private static func check(_ model: Model, _ manifest: ModelManifest) throws(ModelFileError) {
        if let outcome = model.verify() {
            guard outcome.isSound else {
                throw ModelFileError(
                    file: manifest.golden?.file ?? "",
                    reason: "the model does not give the numbers of its golden set (normality off by "
                        + "\(outcome.normalityDifference) tolerances, dissolving by \(outcome.dissolvedDifference))"
                )
            }
        }
        let input = manifest.input
        let black = Image(height: input.height, width: input.width, channels: input.channels)
        let result = model.score([black])[0]
        let dissolved = model.dissolve([black], at: [manifest.dissolve.defaultT])[0]
        guard result.normality.isFinite, dissolved.samples.allSatisfy(\.isFinite) else {
            throw ModelFileError(
                file: ModelManifest.fileName,
                reason: "the weights of '\(manifest.name)' give numbers that are not finite"
            )
        }
    }

    /// Whether `model` still gave the numbers of its golden set when it was last asked.
    public func isSound(_ model: String) -> Bool { state.withLock { !$0.unsound.contains(model) } }

    /// Replays the golden set of `model`; nil if it has none. A mismatch takes the model out of service.
    public func verify(_ model: String) async throws(EngineError) -> GoldenSet.Outcome? {
        let outcome: GoldenSet.Outcome? = try await submit(model) { done in .verify(done) }
        if let outcome {
            state.withLock { state in
                if outcome.isSound { state.unsound.remove(model) } else { state.unsound.insert(model) }
            }
        }
        return outcome
    }

    /// The normality of `image`, prepared for `model`, which must be one of ``models``.
    public func score(_ image: Image, model: String) async throws(EngineError) -> ScoreBank.Result {
        guard isSound(model) else { throw .unsound }
        let result = try await submit(model) { done in .score(image, done) }
        guard result.normality.isFinite else { throw .notFinite }
        return result
    }

    /// `image`, prepared for `model`, dissolved at each of `steps`.
    public func dissolve(_ image: Image, model: String, steps: [Int]) async throws(EngineError) -> [Image] {
        guard isSound(model) else { throw .unsound }
        let images: [Image] = try await submit(model) { done in .dissolve(image, steps: steps, done) }
        guard images.allSatisfy({ $0.samples.allSatisfy(\.isFinite) }) else { throw .notFinite }
        return images
    }

    private func submit<Result: Sendable>(
        _ model: String,
        _ work: @Sendable (@escaping @Sendable (Result) -> Void) -> Work
    ) async throws(EngineError) -> Result {
        let outcome: Swift.Result<Result, EngineError> = await withCheckedContinuation { continuation in
            let job = Job(model: model, work: work { continuation.resume(returning: .success($0)) }, arrived: .now)
            if let retryAfter = enqueue(job) {
                metrics.rejected("queue_full")
                continuation.resume(returning: .failure(.busy(retryAfter: retryAfter)))
            }
        }
        return try outcome.get()
    }

    /// Puts `job` in the queue and sees that the engine runs; the seconds to wait instead if it is full.
    private func enqueue(_ job: Job) -> Int? {
        let (retryAfter, mustStart): (Int?, Bool) = state.withLock { state in
            guard state.waiting.count < configuration.queueCapacity else {
                let seconds = Double(state.waiting.count) * state.secondsPerJob
                return (max(1, Int(min(seconds, 3600).rounded(.up))), false)
            }
            state.waiting.append(job)
            metrics.set(queueDepth: state.waiting.count)
            defer { state.isRunning = true }
            return (nil, !state.isRunning)
        }
        if mustStart { queue.async { self.runAll() } }
        return retryAfter
    }

    private func runAll() {
        while let batch = nextBatch() { run(batch) }
    }

    /// The longest-waiting job and those behind it that can run with it; nil, and the engine rests, if
    /// nothing waits.
    private func nextBatch() -> [Job]? {
        state.withLock { state in
            guard let first = state.waiting.first else {
                state.isRunning = false
                return nil
            }
            var most = configuration.maximumBatch
            if case .score = first.work, let model = models[first.model] { most = min(most, model.scoredAtOnce) }
            var batch: [Job] = []
            var rest: Deque<Job> = []
            for job in state.waiting {
                let joins = job.model == first.model && job.work.kind == first.work.kind
                if joins, batch.count < most { batch.append(job) } else { rest.append(job) }
            }
            state.waiting = rest
            metrics.set(queueDepth: rest.count)
            return batch
        }
    }

    private func run(_ batch: [Job]) {
        guard let model = loaded.byName[batch[0].model] else { preconditionFailure("a job for an unknown model") }
        let start = ContinuousClock.now
        for job in batch { metrics.observe(queued: start - job.arrived) }
        var scoring: [(Image, @Sendable (ScoreBank.Result) -> Void)] = []
        var dissolving: [(Image, [Int], @Sendable ([Image]) -> Void)] = []
        for job in batch {
            switch job.work {
            case .score(let image, let done): scoring.append((image, done))
            case .dissolve(let image, let steps, let done): dissolving.append((image, steps, done))
            case .verify(let done): done(model.verify())
            }
        }
        if !scoring.isEmpty {
            for (result, entry) in zip(model.score(scoring.map(\.0)), scoring) { entry.1(result) }
        }
        if !dissolving.isEmpty {
            let images = dissolving.flatMap { entry in entry.1.map { _ in entry.0 } }
            var results = model.dissolve(images, at: dissolving.flatMap(\.1))[...]
            for entry in dissolving {
                entry.2(Array(results.prefix(entry.1.count)))
                results = results.dropFirst(entry.1.count)
            }
        }
        let elapsed = ContinuousClock.now - start
        metrics.observe(batch: batch.count, kind: batch[0].work.kind, inference: elapsed)
        let seconds = elapsed / .seconds(1) / Double(batch.count)
        state.withLock { $0.secondsPerJob += 0.2 * (seconds - $0.secondsPerJob) }
    }
}
