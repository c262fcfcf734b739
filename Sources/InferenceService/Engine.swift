public import DIA
import DequeModule
import Dispatch
public import Imaging
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
    /// Another model has taken the place of the one that the image was prepared for.
    case replaced
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

    /// What is told of a piece of work when it is done.
    private typealias Completion<Value> = @Sendable (Result<Value, EngineError>) -> Void

    /// One image's worth of work.
    private enum Work: Sendable {
        case score(Image, Completion<ScoreBank.Result>)
        case dissolve(Image, steps: [Int], Completion<[Image]>)
        case verify(Completion<GoldenSet.Outcome?>)

        var kind: String {
            switch self {
            case .score: "score"
            case .dissolve: "dissolve"
            case .verify: "verify"
            }
        }

        func fail(_ error: EngineError) {
            switch self {
            case .score(_, let done): done(.failure(error))
            case .dissolve(_, _, let done): done(.failure(error))
            case .verify(let done): done(.failure(error))
            }
        }
    }

    private struct Job: Sendable {
        let model: Model.Information
        let work: Work
        let arrived: ContinuousClock.Instant

        var name: String { model.manifest.name }
        func joins(_ other: Job) -> Bool { model.digest == other.model.digest && work.kind == other.work.kind }
    }

    private struct State {
        var waiting: Deque<Job> = []
        /// What is done between two batches, before anything that waits.
        var pending: [@Sendable () -> Void] = []
        var isRunning = false
        /// A moving mean of the seconds that one piece of work takes.
        var secondsPerJob = 0.05
        /// The digests of models that failed to give the numbers of their golden sets.
        var unsound: Set<String> = []
    }

    private let configuration: Configuration
    private let metrics: ServiceMetrics
    private let loaded: LoadedModels
    private let queue = DispatchQueue(label: "dia.engine", qos: .userInitiated)
    private let state = Mutex(State())

    /// Loads each directory that `open` gives, and checks it; ``reload(_:)`` calls `open` again.
    public init(
        _ configuration: Configuration,
        metrics: ServiceMetrics,
        open: @escaping @Sendable () throws -> [ModelDirectory]
    ) throws {
        self.configuration = configuration
        self.metrics = metrics
        loaded = LoadedModels(threads: configuration.threads, open: open)
        _ = try loaded.load()
        metrics.set(queueCapacity: configuration.queueCapacity)
    }

    /// What is known of each model, by name.
    public var models: [String: Model.Information] { loaded.information }

    /// Whether `model` still gave the numbers of its golden set when it was last asked.
    public func isSound(_ model: Model.Information) -> Bool {
        state.withLock { !$0.unsound.contains(model.digest) }
    }

    /// Loads the directories that have changed, or the model called `name` in any case; returns the names of the
    /// loaded models.
    ///
    /// Work waits meanwhile, and none is lost. Throws, and the old models go on serving, if a new one cannot be
    /// loaded or fails its check.
    public func reload(_ name: String? = nil) async throws -> [String] {
        try await withCheckedThrowingContinuation { continuation in
            enqueue { [self] in
                continuation.resume(
                    with: Result {
                        let names = try loaded.load(name)
                        let digests = names.compactMap { loaded.information[$0]?.digest }
                        state.withLock { $0.unsound.subtract(digests) }
                        return names
                    }
                )
            }
        }
    }

    /// Replays the golden set of `model`; nil if it has none.
    ///
    /// A mismatch takes the model out of service.
    public func verify(_ model: Model.Information) async throws(EngineError) -> GoldenSet.Outcome? {
        let outcome: GoldenSet.Outcome? = try await submit(model) { done in .verify(done) }
        if let outcome {
            state.withLock { state in
                if outcome.isSound { state.unsound.remove(model.digest) } else { state.unsound.insert(model.digest) }
            }
        }
        return outcome
    }

    /// The normality of `image`, prepared for `model`, which must be one of ``models``.
    public func score(_ image: Image, model: Model.Information) async throws(EngineError) -> ScoreBank.Result {
        guard isSound(model) else { throw .unsound }
        let result = try await submit(model) { done in .score(image, done) }
        guard result.normality.isFinite else { throw .notFinite }
        return result
    }

    /// `image`, prepared for `model`, dissolved at each of `steps`.
    public func dissolve(_ image: Image, model: Model.Information, steps: [Int]) async throws(EngineError) -> [Image] {
        guard isSound(model) else { throw .unsound }
        let images: [Image] = try await submit(model) { done in .dissolve(image, steps: steps, done) }
        guard images.allSatisfy({ $0.samples.allSatisfy(\.isFinite) }) else { throw .notFinite }
        return images
    }

    private func submit<Value: Sendable>(
        _ model: Model.Information,
        _ work: @Sendable (@escaping Completion<Value>) -> Work
    ) async throws(EngineError) -> Value {
        let outcome: Result<Value, EngineError> = await withCheckedContinuation { continuation in
            let job = Job(model: model, work: work { continuation.resume(returning: $0) }, arrived: .now)
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

    /// Has `action` done on the queue, before anything that waits.
    private func enqueue(_ action: @escaping @Sendable () -> Void) {
        let mustStart = state.withLock { state in
            state.pending.append(action)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if mustStart { queue.async { self.runAll() } }
    }

    private func runAll() {
        while let next = next() { next() }
    }

    /// What is to be done next; nil, and the engine rests, if there is nothing.
    private func next() -> (() -> Void)? {
        state.withLock { state in
            if !state.pending.isEmpty {
                let actions = state.pending
                state.pending = []
                return { for action in actions { action() } }
            }
            guard let first = state.waiting.first else {
                state.isRunning = false
                return nil
            }
            let batch = batch(with: first, of: &state.waiting)
            metrics.set(queueDepth: state.waiting.count)
            return { self.run(batch) }
        }
    }

    /// Takes the longest-waiting job and those behind it that can run with it.
    private func batch(with first: Job, of waiting: inout Deque<Job>) -> [Job] {
        var most = configuration.maximumBatch
        if case .score = first.work { most = min(most, first.model.scoredAtOnce) }
        var batch: [Job] = []
        var rest: Deque<Job> = []
        for job in waiting {
            if batch.count < most, job.joins(first) { batch.append(job) } else { rest.append(job) }
        }
        waiting = rest
        return batch
    }

    private func run(_ batch: [Job]) {
        guard let model = loaded.model(batch[0].name, digest: batch[0].model.digest) else {
            for job in batch { job.work.fail(.replaced) }
            return
        }
        let start = ContinuousClock.now
        for job in batch { metrics.observe(queued: start - job.arrived) }
        var scoring: [(Image, Completion<ScoreBank.Result>)] = []
        var dissolving: [(Image, [Int], Completion<[Image]>)] = []
        for job in batch {
            switch job.work {
            case .score(let image, let done): scoring.append((image, done))
            case .dissolve(let image, let steps, let done): dissolving.append((image, steps, done))
            case .verify(let done): done(.success(model.verify()))
            }
        }
        if !scoring.isEmpty {
            for (result, entry) in zip(model.score(scoring.map(\.0)), scoring) { entry.1(.success(result)) }
        }
        if !dissolving.isEmpty {
            let images = dissolving.flatMap { entry in entry.1.map { _ in entry.0 } }
            var results = model.dissolve(images, at: dissolving.flatMap(\.1))[...]
            for entry in dissolving {
                entry.2(.success(Array(results.prefix(entry.1.count))))
                results = results.dropFirst(entry.1.count)
            }
        }
        let elapsed = ContinuousClock.now - start
        metrics.observe(batch: batch.count, kind: batch[0].work.kind, inference: elapsed)
        let seconds = elapsed / .seconds(1) / Double(batch.count)
        state.withLock { $0.secondsPerJob += 0.2 * (seconds - $0.secondsPerJob) }
    }
}
