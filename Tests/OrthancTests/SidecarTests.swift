import Foundation
import Logging
import Metrics
import Orthanc
import Synchronization
import Testing

struct SidecarTests {
    private let folder = NSTemporaryDirectory() + "dia-orthanc-\(UUID().uuidString)"

    /// Runs a sidecar until `isDone`, and returns its position.
    private func run(
        _ store: SimulatedStore,
        catchUp: Sidecar.CatchUp = .changes,
        scorer: SimulatedScorer = SimulatedScorer(hasReport: false),
        until isDone: @escaping @Sendable () -> Bool
    ) async throws -> Int {
        let directory = try StateDirectory(folder, isWriter: true)
        var configuration = Sidecar.Configuration()
        configuration.pollSeconds = 0.01
        configuration.catchUp = catchUp
        (configuration.policy.window, configuration.policy.attempts) = (500, 2)
        configuration.policy.firstPause = 0.01
        let sidecar = try Sidecar(
            store: store,
            job: InstanceJob(store: store, scorer: scorer, program: "test"),
            directory: directory,
            configuration,
            metrics: SidecarMetrics(MetricsRegistry()),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                Thread.detachNewThread {
                    let deadline = ContinuousClock.now + .seconds(120)
                    while !isDone(), ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.005) }
                    sidecar.stop()
                }
                sidecar.run()
                continuation.resume()
            }
        }
        // Threads that are ending may hold the directory for a moment.
        directory.unlock()
        return try directory.position()?.change ?? 0
    }

    @Test(arguments: [Sidecar.CatchUp.changes, .instances])
    func `a backlog of 100,000 changes is worked off with one result each`(catchUp: Sidecar.CatchUp) async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = SimulatedStore()
        let count = catchUp == .changes ? 100_000 : 5_000
        for number in 0..<count { store.add(identifier(number), [UInt8(number % 200), 1]) }
        let position = try await run(store, catchUp: catchUp) {
            store.state.withLock { $0.marks == count }
        }
        let state = store.state.withLock { $0 }
        #expect(state.instances.values.allSatisfy { $0.marks == 1 })
        #expect(state.largestPage <= 500)
        #expect(position <= 2 * count && (catchUp != .changes || position >= 2 * count - 1000))
    }

    @Test func `an instance that fails becomes a dead letter, the others go on, and it can be tried again`()
        async throws
    {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = SimulatedStore()
        for number in 0..<20 { store.add(identifier(number), [UInt8(number), 1]) }
        let broken = SharedFlag()
        let scorer = SimulatedScorer(hasReport: false, failure: { broken.fails($0) ? .temporary("broken") : nil })
        let (path, instance) = (folder, identifier(7))
        _ = try await run(store, scorer: scorer) {
            (try? StateDirectory(path, isWriter: false).deadLetterCount()) == 1
                && store.state.withLock { $0.instances.values.filter { $0.mark != nil }.count } == 19
        }
        let directory = try StateDirectory(folder, isWriter: false)
        #expect(try directory.deadLetters().map(\.instance) == [instance])
        #expect(try directory.deadLetters().first?.attempts == 2)
        #expect(try !directory.requeue(identifier(8)))
        #expect(try directory.requeue(instance))
        broken.repair()
        _ = try await run(store, scorer: scorer) { store.state.withLock { $0.instances[instance]?.mark != nil } }
        #expect(try directory.deadLetterCount() == 0)
        #expect(try directory.requeued(limit: 10).isEmpty)
    }

    @Test(arguments: [1, 2])
    func `a store with fewer changes is looked at again only if they are later`(era: Int) async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = SimulatedStore()
        for number in 0..<20 { store.add(identifier(number), [UInt8(number), 1]) }
        let before = try await run(store) { store.state.withLock { $0.marks == 20 } }
        #expect(before > 20)
        // Another store, or the newest instances were deleted.
        store.state.withLock { state in
            state.era = era
            state.changes.removeLast(15)
            for number in 0..<5 { state.instances[identifier(number)]?.mark = nil }
            state.marks = 0
        }
        let calls = store.state.withLock { $0.calls }
        let after = try await run(store) { store.state.withLock { era == 1 ? $0.calls > calls + 20 : $0.marks == 5 } }
        #expect(store.state.withLock { $0.marks } == (era == 1 ? 0 : 5))
        #expect(era == 1 ? after == before : after <= 10)
    }

    @Test func `a state directory has one writer, and a position that survives`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do {
            let directory = try StateDirectory(folder, isWriter: true)
            #expect(throws: StateDirectory.Failure.self) { try StateDirectory(folder, isWriter: true) }
            #expect(try directory.position() == nil)
            try directory.store(StateDirectory.Position(phase: .changes, change: 42))
        }
        let again = try StateDirectory(folder, isWriter: true)
        #expect(try again.position() == StateDirectory.Position(phase: .changes, change: 42))
        try Data("{".utf8).write(to: URL(fileURLWithPath: "\(folder)/position.json"))
        #expect(throws: StateDirectory.Failure.self) { try again.position() }
    }
}

/// Whether the file of the seventh instance fails.
private final class SharedFlag: Sendable {
    private let isBroken = Mutex(true)

    func fails(_ file: [UInt8]) -> Bool { file.first == 7 && isBroken.withLock { $0 } }
    func repair() { isBroken.withLock { $0 = false } }
}
