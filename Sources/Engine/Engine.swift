public import DIA
import Dispatch
public import Imaging
public import ModelFile
public import Metrics
import Synchronization

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
        /// Whether models that cannot be loaded are left out, rather than an error.
        public var skipsBrokenModels = false
        /// A model that must be among the loaded ones, even where broken models are left out.
        public var requiredModel: String?

        /// The defaults.
        public init() {}
    }

    private struct State {
        var waiting = WorkQueue()
        var lastGroup: UInt64 = 0
        /// What is done between two batches, before anything that waits.
        var pending: [@Sendable () -> Void] = []
        var isRunning = false
        /// A moving mean of the seconds that one piece of work takes, by kind.
        var secondsPerJob: [Job.Kind: Double] = [:]
        /// The digests of models that failed to give the numbers of their golden sets.
        var failedVerification: Set<String> = []

        /// The seconds that what waits is likely to take.
        var secondsWaiting: Double {
            waiting.countByKind.reduce(0) { $0 + Double($1.value) * (secondsPerJob[$1.key] ?? 0.05) }
        }

        /// The same for a client: whole seconds from 1 to an hour.
        var retryAfter: Int { max(1, Int(min(secondsWaiting, 3600).rounded(.up))) }

        mutating func makeRequestGroup() -> RequestGroup {
            lastGroup += 1
            return RequestGroup(number: lastGroup)
        }
    }

    private let configuration: Configuration
    private let metrics: EngineMetrics
    private let loaded: ModelStore
    private let queue = DispatchQueue(label: "dia.engine", qos: .userInitiated)
    private let state = Mutex(State())

    /// An engine without models: ``load()`` loads those of the directories that `open` gives, and ``reload(_:)`` calls
    /// `open` again.
    public init(
        _ configuration: Configuration,
        metrics registry: MetricsRegistry,
        open: @escaping @Sendable () throws -> ModelListing
    ) {
        self.configuration = configuration
        metrics = EngineMetrics(registry)
        loaded = ModelStore(
            threads: configuration.threads,
            skipsBroken: configuration.skipsBrokenModels,
            required: configuration.requiredModel,
            open: open
        )
        metrics.queueCapacity.set(configuration.queueCapacity)
    }

    /// Loads the models and checks each; returns those that were left out. Blocks until all are loaded.
    public func load() throws -> [ModelLoadError] { try queue.sync { try loaded.load().failures } }

    /// What is known of each model, by name.
    public var models: [String: Model.Information] { loaded.information }

    /// Whether `model` still gave the numbers of its golden set when it was last asked.
    public func isSound(_ model: Model.Information) -> Bool {
        state.withLock { !$0.failedVerification.contains(model.digest) }
    }

    /// The seconds that a client should wait before it comes again.
    public var retryAfter: Int { state.withLock { $0.retryAfter } }

    /// Loads the directories that have changed, or the model called `name` in any case; returns the names of the
    /// loaded models, and what was left out.
    ///
    /// Work waits meanwhile, and none is lost. Throws, and the old models go on serving, if one cannot be loaded, fails
    /// its check, or has files that are not what its manifest says.
    public func reload(_ name: String? = nil) async throws -> ModelStore.Outcome {
        try await withCheckedThrowingContinuation { continuation in
            enqueue { [self] in
                continuation.resume(
                    with: Result {
                        let outcome = try loaded.load(name)
                        let digests = outcome.loaded.compactMap { loaded.information[$0]?.digest }
                        state.withLock { $0.failedVerification.subtract(digests) }
                        return outcome
                    }
                )
            }
        }
    }

    /// Replays the golden set of `model`; nil if it has none.
    ///
    /// A mismatch takes the model out of service.
    public func verify(_ model: Model.Information) async throws(EngineError) -> GoldenSet.Outcome? {
        let outcome: GoldenSet.Outcome? = try await submit(model, nil, nil, [{ .verify($0) }])[0].value
        if let outcome {
            state.withLock { state in
                if outcome.isSound {
                    state.failedVerification.remove(model.digest)
                } else {
                    state.failedVerification.insert(model.digest)
                }
            }
        }
        return outcome
    }

    /// The normality of `image`, prepared for `model`, which must be one of ``models``.
    ///
    /// Given up when the task is cancelled, or when `deadline` passes before its turn comes. Images of one request
    /// share its `group`, from ``makeRequestGroup()``, and are given up together.
    public func score(
        _ image: Image,
        model: Model.Information,
        group: RequestGroup? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(EngineError) -> Timed<ScoreBank.Result> {
        guard isSound(model) else { throw .failedVerification }
        let results: [Timed<ScoreBank.Result>] = try await submit(model, group, deadline, [{ .score(image, $0) }])
        let result = results[0]
        guard result.value.normality.isFinite else { throw .notFinite }
        return result
    }

    /// `image`, prepared for `model`, dissolved at each of `steps`; the longest times of all.
    public func dissolve(
        _ image: Image,
        model: Model.Information,
        steps: [Int],
        deadline: ContinuousClock.Instant? = nil
    ) async throws(EngineError) -> Timed<[Image]> {
        guard isSound(model) else { throw .failedVerification }
        let results: [Timed<Image>] = try await submit(
            model,
            nil,
            deadline,
            steps.map { step in { .dissolve(image, step: step, $0) } }
        )
        let images = results.map(\.value)
        guard images.allSatisfy({ $0.samples.allSatisfy(\.isFinite) }) else { throw .notFinite }
        return Timed(
            value: images,
            queued: results.map(\.queued).max() ?? .zero,
            executionTime: results.map(\.executionTime).max() ?? .zero
        )
    }

    /// A name for a request of many images, by which they take turns with others'.
    public func makeRequestGroup() -> RequestGroup { state.withLock { $0.makeRequestGroup() } }

    /// The results of `works`, one request's, under its own `group` or one given.
    private func submit<Value: Sendable>(
        _ model: Model.Information,
        _ group: RequestGroup?,
        _ deadline: ContinuousClock.Instant?,
        _ works: [@Sendable (@escaping Job.Completion<Value>) -> Job.Work]
    ) async throws(EngineError) -> [Timed<Value>] {
        // Images of a batch come with the group that they share.
        let isBatch = group != nil
        let group = group ?? makeRequestGroup()
        let outcome: Result<[Timed<Value>], EngineError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let gathering = ResultCollector<Value>(count: works.count) { continuation.resume(returning: $0) }
                let jobs = works.enumerated().map { index, work in
                    Job(
                        group: group,
                        model: model,
                        work: work { gathering.complete(index, $0) },
                        deadline: deadline
                    )
                }
                if let error = enqueue(jobs, isBatch: isBatch, deadline) {
                    return continuation.resume(returning: .failure(error))
                }
                // The handler below may have run before there was anything to give up.
                if Task.isCancelled { cancel(group) }
            }
        } onCancel: {
            cancel(group)
        }
        return try outcome.get()
    }

    /// Cancels what still waits of a request.
    private func cancel(_ group: RequestGroup) {
        let jobs = state.withLock { state in
            let jobs = state.waiting.remove(group: group)
            metrics.queueDepth.set(state.waiting.count)
            return jobs
        }
        for job in jobs { job.fail(.cancelled) }
    }

    /// Puts a request's work in the queue and sees that the engine runs; why not, if the queue is full.
    private func enqueue(_ jobs: [Job], isBatch: Bool, _ deadline: ContinuousClock.Instant?) -> EngineError? {
        let (error, mustStart): (EngineError?, Bool) = state.withLock { state in
            let seconds = state.secondsWaiting
            let count = state.waiting.count
            let isInTime = deadline.map { .now + .seconds(seconds) < $0 } ?? true
            // A request larger than the whole queue is taken when nothing else waits.
            // Batches, which wait patiently, leave half of the queue to the others.
            let capacity = isBatch ? max(1, configuration.queueCapacity / 2) : configuration.queueCapacity
            guard count == 0 || count + jobs.count <= capacity, isInTime else {
                return (.busy(retryAfter: state.retryAfter), false)
            }
            for job in jobs { state.waiting.append(job) }
            metrics.queueDepth.set(state.waiting.count)
            defer { state.isRunning = true }
            return (nil, !state.isRunning)
        }
        if mustStart { queue.async { self.runAll() } }
        return error
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
            let late = state.waiting.removeLate(now: .now)
            let batch = late.isEmpty ? state.waiting.nextBatch(limit: limit) : []
            guard !late.isEmpty || !batch.isEmpty else {
                state.isRunning = false
                return nil
            }
            metrics.queueDepth.set(state.waiting.count)
            return late.isEmpty ? { self.run(batch) } : { for job in late { job.fail(.deadlineExceeded) } }
        }
    }

    /// The most pieces of work that run together with `job`.
    private func limit(_ job: Job) -> Int {
        job.kind == .score ? min(configuration.maximumBatch, job.model.preferredBatchSize) : configuration.maximumBatch
    }

    private func run(_ batch: [Job]) {
        guard let model = loaded.model(batch[0].model.manifest.name, digest: batch[0].model.digest) else {
            for job in batch { job.fail(.modelReplaced) }
            return
        }
        let start = ContinuousClock.now
        for job in batch { metrics.queued.observe(start - job.arrived) }
        let tell = Batch(jobs: batch).run(on: model, since: start)
        note(batch, took: .now - start)
        for each in tell { each() }
    }

    /// Counts a batch, before anybody hears of its results.
    private func note(_ batch: [Job], took elapsed: Duration) {
        let kind = batch[0].kind
        metrics.batchSize.observe(Double(batch.count))
        metrics.inference.observe(elapsed, ["stage": kind.rawValue])
        metrics.busySeconds.add(elapsed / .seconds(1))
        let seconds = elapsed / .seconds(1) / Double(batch.count)
        state.withLock { state in
            let mean = state.secondsPerJob[kind] ?? seconds
            state.secondsPerJob[kind] = mean + 0.2 * (seconds - mean)
        }
    }
}
