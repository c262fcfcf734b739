import Orthanc
import Synchronization
import Testing

struct InstanceJobTests {
    private let instance = identifier(1)

    private func job(_ store: SimulatedStore, _ scorer: SimulatedScorer = SimulatedScorer()) -> InstanceJob {
        InstanceJob(store: store, scorer: scorer, program: "test")
    }

    private func expectResult(_ store: SimulatedStore, of file: [UInt8]) throws {
        let state = store.state.withLock { $0 }
        let stored = try #require(state.instances[instance])
        let mark = try #require(stored.mark.flatMap(Mark.parse))
        #expect(mark.normality == SimulatedScorer.result(file, hasReport: true).normality)
        #expect(stored.attachment == [1] + file)
        // The image and its report.
        #expect(state.instances.values.map(\.file).sorted { $0.count < $1.count } == [file, file + [255]])
    }

    @Test func `a new instance gets its result once`() throws {
        let store = SimulatedStore()
        store.add(instance, [7, 1])
        #expect(job(store).run(instance) == .written)
        #expect(job(store).run(instance) == .alreadyWritten)
        try expectResult(store, of: [7, 1])
        #expect(store.state.withLock { $0.instances[instance]?.marks } == 1)
    }

    @Test(arguments: [false, true])
    func `a crash at any call leaves work that is completed with one result`(afterwards: Bool) throws {
        var crashes = 0
        for call in 1... {
            let store = SimulatedStore()
            store.add(instance, [7, 1])
            store.state.withLock { $0.crash = (call, afterwards) }
            let first = job(store).run(instance)
            if first == .written { break }
            crashes += 1
            #expect(first == .unavailable("crash"))
            store.state.withLock { $0.crash = nil }
            let second = job(store).run(instance)
            #expect(second == .written || second == .alreadyWritten)
            try expectResult(store, of: [7, 1])
        }
        #expect(crashes >= 9)
    }

    @Test func `an instance that is replaced before any call has the result of the new file`() throws {
        var replaced = 0
        for call in 2...40 {
            let store = SimulatedStore()
            store.add(instance, [7, 1])
            store.state.withLock { state in
                state.interference[call] = { [instance] in SimulatedStore.add(instance, [7, 2], &$0) }
            }
            _ = job(store).run(instance)
            if store.state.withLock({ $0.calls }) >= call { replaced += 1 }
            while store.state.withLock({ $0.calls }) < call { _ = job(store).run(instance) }
            // The new file is a new change, so the work is done again.
            let last = job(store).run(instance)
            #expect(last == .written || last == .alreadyWritten)
            try expectResult(store, of: [7, 2])
        }
        #expect(replaced >= 9)
    }

    @Test func `an instance that is deleted before any call leaves nothing`() throws {
        for call in 1...40 {
            let store = SimulatedStore()
            store.add(instance, [7, 1])
            store.state.withLock { state in
                state.interference[call] = { [instance] in $0.instances[instance] = nil }
            }
            let outcome = job(store).run(instance)
            guard store.state.withLock({ $0.calls }) >= call else { break }
            #expect(outcome == .gone, "call \(call)")
            #expect(store.state.withLock { $0.instances.isEmpty }, "call \(call)")
        }
    }

    @Test func `results are not scored`() throws {
        let store = SimulatedStore()
        store.add(instance, [7, 1])
        #expect(job(store).run(instance) == .written)
        let report = try #require(store.state.withLock { $0.instances.keys.first { $0 != instance } })
        #expect(job(store).run(report) == .skipped("a result"))
    }

    @Test func `failures of the service say whether another attempt can help`() {
        let store = SimulatedStore()
        store.add(instance, [7, 1])
        let cases: [(ScoringError, InstanceJob.Outcome)] = [
            (.unavailable("a"), .unavailable("a")), (.temporary("b"), .failed("b", isPermanent: false)),
            (.permanent("c"), .failed("c", isPermanent: true)),
        ]
        for (error, outcome) in cases {
            let scorer = SimulatedScorer(failure: { _ in error })
            #expect(job(store, scorer).run(instance) == outcome)
        }
        #expect(store.state.withLock { $0.instances[instance]?.mark } == nil)
    }
}
