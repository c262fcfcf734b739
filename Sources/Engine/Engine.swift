public import DIA
import Dispatch
public import Imaging
public import ModelFile
public import Metrics
import Synchronization

/// Owner of the models, with a bounded queue and a thread that runs the waiting jobs in batches.
///
/// Jobs that arrive while a batch runs are combined into the next batches. All jobs of a batch have the same kind and
/// model.
public final class Engine: Sendable {
    /// Engine configuration.
    public struct Configuration: Sendable {
        /// Number of threads for the kernels.
        public var threads = 1
        /// Maximum number of waiting jobs.
        public var queueCapacity = 256
        /// Maximum number of images per batch; fewer for scores of models with many views.
        public var maximumBatch = 16
        /// Whether to skip models that cannot be loaded, instead of failing.
        public var skipsBrokenModels = false
        /// A model that must be loaded, even if broken models are skipped.
        public var requiredModel: String?

        /// The defaults.
        public init() {}
    }

    private struct State {
        var waiting = WorkQueue()
        var lastGroup: UInt64 = 0
        /// Actions to run between two batches, before any waiting job.
        var pending: [@Sendable () -> Void] = []
        var isRunning = false
        /// Moving average of the seconds per job, by kind.
        var secondsPerJob: [Job.Kind: Double] = [:]
        /// Digests of models that did not reproduce their golden sets.
        var failedVerification: Set<String> = []

        /// Estimated seconds to finish the waiting jobs.
        var secondsWaiting: Double {
            waiting.countByKind.reduce(0) { $0 + Double($1.value) * (secondsPerJob[$1.key] ?? 0.05) }
        }

        /// The estimate for clients, in whole seconds from 1 to 3600.
        var retryAfter: Int { max(1, Int(min(secondsWaiting, 3600).rounded(.up))) }

        mutating func makeRequestGroup() -> RequestGroup {
            lastGroup += 1
            return RequestGroup(number: lastGroup)
        }
    }

    private let configuration: Configuration
    private let metrics: EngineMetrics
    private let store: ModelStore
    /// How the latest images of each model differ from its calibration images.
    public let driftMonitor = DriftMonitor()
    private let queue = DispatchQueue(label: "dia.engine", qos: .userInitiated)
    private let state = Mutex(State())

    /// Creates an engine without models.
    ///
    /// ``load()`` loads the models from the directories that `open` returns; ``reload(_:)`` calls `open` again.
    public init(
        _ configuration: Configuration,
        metrics registry: MetricsRegistry,
        open: @escaping @Sendable () throws -> ModelListing
    ) {
        self.configuration = configuration
        metrics = EngineMetrics(registry)
        store = ModelStore(
            threads: configuration.threads,
            skipsBroken: configuration.skipsBrokenModels,
            required: configuration.requiredModel,
            open: open
        )
        metrics.queueCapacity.set(configuration.queueCapacity)
    }

    /// Loads and checks the models; returns those that were skipped.
    ///
    /// Blocks until all are loaded.
    public func load() throws -> [ModelLoadError] { try queue.sync { try store.load().failures } }

    /// Information on each model, by name.
    public var models: [String: Model.Information] { store.information }

    /// Whether `model` passed its last verification against its golden set.
    public func passesVerification(_ model: Model.Information) -> Bool {
        state.withLock { !$0.failedVerification.contains(model.digest) }
    }

    /// Seconds that a client should wait before it tries again.
    public var retryAfter: Int { state.withLock { $0.retryAfter } }

    /// Loads the models whose directories have changed, or in any case the model named `name`.
    ///
    /// Returns the names of the loaded models and the skipped ones. Jobs wait meanwhile; none is lost. If a model
    /// cannot be loaded, fails its check, or has files that do not match its manifest, this throws and the old models
    /// stay in use.
    public func reload(_ name: String? = nil) async throws -> ModelStore.Outcome {
        try await withCheckedThrowingContinuation { continuation in
            enqueue { [self] in
                continuation.resume(
                    with: Result {
                        let outcome = try store.load(name)
                        let models = store.information
                        state.withLock { state in
                            state.failedVerification.subtract(outcome.loaded.compactMap { models[$0]?.digest })
                        }
                        driftMonitor.remove(exceptDigests: Set(models.values.map(\.digest)))
                        return outcome
                    }
                )
            }
        }
    }

    /// Verifies `model` against its golden set; returns nil if it has none.
    ///
    /// A mismatch takes the model out of service.
    public func verify(_ model: Model.Information) async throws(EngineError) -> GoldenSet.Outcome? {
        let outcome: GoldenSet.Outcome? = try await submit(model, nil, nil, [{ .verify($0) }])[0].value
        if let outcome {
            state.withLock { state in
                if outcome.passed {
                    state.failedVerification.remove(model.digest)
                } else {
                    state.failedVerification.insert(model.digest)
                }
            }
        }
        return outcome
    }

    /// Returns the normality of `image`, which must be prepared for `model`, one of ``models``.
    ///
    /// The job is cancelled if the task is cancelled or if `deadline` passes before the job starts. Images of one
    /// request share a `group` from ``makeRequestGroup()`` and are cancelled together.
    public func score(
        _ image: Image,
        model: Model.Information,
        group: RequestGroup? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(EngineError) -> Timed<ScoreBank.Result> {
        guard passesVerification(model) else { throw .failedVerification }
        let results: [Timed<ScoreBank.Result>] = try await submit(model, group, deadline, [{ .score(image, $0) }])
        let result = results[0]
        guard result.value.normality.isFinite else { throw .notFinite }
        return result
    }

    /// Returns `image`, prepared for `model`, dissolved at each of `steps`; the times are the maximum over the steps.
    public func dissolve(
        _ image: Image,
        model: Model.Information,
        steps: [Int],
        deadline: ContinuousClock.Instant? = nil
    ) async throws(EngineError) -> Timed<[Image]> {
        guard passesVerification(model) else { throw .failedVerification }
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

    /// Returns the map of where the score of `image`, prepared for `model`, comes from; see ``Model/scoreMap(_:)``.
    public func scoreMap(
        _ image: Image,
        model: Model.Information,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(EngineError) -> Timed<Image?> {
        guard passesVerification(model) else { throw .failedVerification }
        let results: [Timed<Image?>] = try await submit(model, nil, deadline, [{ .scoreMap(image, $0) }])
        let result = results[0]
        guard result.value?.samples.allSatisfy(\.isFinite) ?? true else { throw .notFinite }
        return result
    }

    /// Returns a new group for a request of many images, used to schedule them fairly.
    public func makeRequestGroup() -> RequestGroup { state.withLock { $0.makeRequestGroup() } }

    /// Returns the results of `work`, the jobs of one request, in the given `group` or a new one.
    private func submit<Value: Sendable>(
        _ model: Model.Information,
        _ group: RequestGroup?,
        _ deadline: ContinuousClock.Instant?,
        _ work: [@Sendable (@escaping Job.Completion<Value>) -> Job.Work]
    ) async throws(EngineError) -> [Timed<Value>] {
        // Images of a batch are submitted with the group that they share.
        let isBatch = group != nil
        let group = group ?? makeRequestGroup()
        let outcome: Result<[Timed<Value>], EngineError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let collector = ResultCollector<Value>(count: work.count) { continuation.resume(returning: $0) }
                let jobs = work.enumerated().map { index, work in
                    Job(
                        group: group,
                        model: model,
                        work: work { collector.complete(index, $0) },
                        deadline: deadline
                    )
                }
                if let error = enqueue(jobs, isBatch: isBatch, deadline) {
                    return continuation.resume(returning: .failure(error))
                }
                // The cancellation handler may have run before the jobs were queued.
                if Task.isCancelled { cancel(group) }
            }
        } onCancel: {
            cancel(group)
        }
        return try outcome.get()
    }

    /// Cancels the waiting jobs of a request.
    private func cancel(_ group: RequestGroup) {
        let jobs = state.withLock { state in
            let jobs = state.waiting.remove(group: group)
            metrics.queueDepth.set(state.waiting.count)
            return jobs
        }
        for job in jobs { job.fail(.cancelled) }
    }

    /// Appends a request's jobs to the queue and starts the engine if it is idle; returns an error if the queue is
    /// full.
    private func enqueue(_ jobs: [Job], isBatch: Bool, _ deadline: ContinuousClock.Instant?) -> EngineError? {
        let (error, mustStart): (EngineError?, Bool) = state.withLock { state in
            let seconds = state.secondsWaiting
            let count = state.waiting.count
            let isInTime = deadline.map { .now + .seconds(seconds) < $0 } ?? true
            // A request larger than the whole queue is accepted if nothing else waits.
            // Batches, which are not urgent, leave half of the queue to other requests.
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

    /// Schedules `action` to run on the queue before any waiting job.
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

    /// Returns the next thing to do; if there is nothing, returns nil and marks the engine idle.
    private func next() -> (() -> Void)? {
        state.withLock { state in
            if !state.pending.isEmpty {
                let actions = state.pending
                state.pending = []
                return { for action in actions { action() } }
            }
            let expired = state.waiting.removeExpired(now: .now)
            let batch = expired.isEmpty ? state.waiting.nextBatch(limit: limit) : []
            guard !expired.isEmpty || !batch.isEmpty else {
                state.isRunning = false
                return nil
            }
            metrics.queueDepth.set(state.waiting.count)
            return expired.isEmpty ? { self.run(batch) } : { for job in expired { job.fail(.deadlineExceeded) } }
        }
    }

    /// Returns the maximum number of jobs that run together with `job`.
    private func limit(_ job: Job) -> Int {
        switch job.kind {
        case .score: min(configuration.maximumBatch, job.model.preferredBatchSize)
        case .scoreMap: 1
        case .dissolve, .verify: configuration.maximumBatch
        }
    }

    private func run(_ batch: [Job]) {
        guard let model = store.model(batch[0].model.manifest.name, digest: batch[0].model.digest) else {
            for job in batch { job.fail(.modelReplaced) }
            return
        }
        let start = ContinuousClock.now
        for job in batch { metrics.queued.observe(start - job.arrived) }
        let completions = Batch(jobs: batch).run(on: model, since: start)
        recordMetrics(of: batch, elapsed: .now - start)
        for completion in completions { completion() }
    }

    /// Updates the metrics for a batch, before its results are reported.
    private func recordMetrics(of batch: [Job], elapsed: Duration) {
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
