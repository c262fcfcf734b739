import Orthanc
import Testing

struct SchedulerTests {
    private func scheduler(_ change: (inout Scheduler.Policy) -> Void = { _ in }) -> Scheduler {
        var policy = Scheduler.Policy()
        change(&policy)
        return Scheduler(position: 0, policy: policy)
    }

    /// Takes the next job, which there must be.
    private func next(_ scheduler: inout Scheduler, _ now: Double) throws -> Scheduler.Job {
        let job = scheduler.next(now: now)
        return try #require(job)
    }

    private func expectNothing(_ scheduler: inout Scheduler, _ now: Double) {
        let job = scheduler.next(now: now)
        #expect(job == nil)
    }

    @Test func `the position is that before which everything is complete, in whatever order instances finish`() {
        var scheduler = scheduler()
        for number in 1...3 { scheduler.admit(identifier(number), position: 10 * number) }
        scheduler.admit(nil, position: 35)
        let jobs = (1...3).compactMap { _ in scheduler.next(now: 0) }
        #expect(jobs.map(\.instance) == (1...3).map(identifier))
        scheduler.complete(jobs[2])
        #expect(scheduler.position == 0)
        scheduler.complete(jobs[0])
        #expect(scheduler.position == 10)
        scheduler.complete(jobs[1])
        #expect(scheduler.position == 35)
        scheduler.admit(nil, position: 40)
        #expect(scheduler.position == 40)
    }

    @Test func `the position never goes back and never passes an open instance, in random orders`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var scheduler = scheduler { $0.window = 20 }
            var (next, running, open): (Int, [Scheduler.Job], [Int: Int]) = (1, [], [:])
            var last = 0
            for step in 0..<500 {
                if scheduler.room > 0, Bool.random(using: &generator) {
                    scheduler.admit(next % 3 == 0 ? nil : identifier(next), position: next)
                    if next % 3 != 0 { open[next] = next }
                    next += 1
                }
                if let job = scheduler.next(now: Double(step)) { running.append(job) }
                if let job = running.randomElement(using: &generator), Bool.random(using: &generator) {
                    running.removeAll { $0 == job }
                    let number = Int(job.instance.suffix(8)) ?? 0
                    if Bool.random(using: &generator) {
                        scheduler.complete(job)
                        open[number] = nil
                    } else {
                        scheduler.postpone(job, now: Double(step))
                    }
                }
                #expect(scheduler.position >= last)
                last = scheduler.position
                #expect(open.values.allSatisfy { $0 > scheduler.position })
            }
        }
    }

    @Test func `an instance is not worked on twice at the same time`() throws {
        var scheduler = scheduler()
        scheduler.admit(identifier(1), position: 1)
        scheduler.admit(identifier(1), position: 2)
        let first = try next(&scheduler, 0)
        expectNothing(&scheduler, 0)
        scheduler.complete(first)
        let second = try next(&scheduler, 0)
        #expect(second.instance == identifier(1))
    }

    @Test func `a failing instance is tried again later and others are not held up`() throws {
        var scheduler = scheduler { ($0.attempts, $0.firstPause) = (3, 2) }
        scheduler.admit(identifier(1), position: 1)
        scheduler.admit(identifier(2), position: 2)
        let failing = try next(&scheduler, 0)
        let decision0 = scheduler.fail(failing, isPermanent: false, now: 0)
        #expect(decision0 == .retry)
        let other = try next(&scheduler, 0)
        #expect(other.instance == identifier(2))
        scheduler.complete(other)
        expectNothing(&scheduler, 1.9)
        #expect(scheduler.nextTime(now: 1.9) == 2)
        let again = try next(&scheduler, 2)
        #expect(again.attempts == 1)
        let decision2 = scheduler.fail(again, isPermanent: false, now: 2)
        #expect(decision2 == .retry)
        expectNothing(&scheduler, 5.9)
        let last = try next(&scheduler, 6)
        let decision6 = scheduler.fail(last, isPermanent: false, now: 6)
        #expect(decision6 == .giveUp)
        scheduler.complete(last)
        #expect(scheduler.position == 2)
    }

    @Test func `while a service is not available all wait and no attempt counts`() throws {
        var scheduler = scheduler { $0.attempts = 2 }
        for number in 1...3 { scheduler.admit(identifier(number), position: number) }
        for step in 0..<50 {
            let now = Double(100 * step)
            let job = try next(&scheduler, now)
            #expect(job.attempts == 0)
            scheduler.postpone(job, now: now)
            expectNothing(&scheduler, now)
        }
    }

    @Test func `a backlog of 100,000 changes is worked off in a window`() {
        var scheduler = scheduler { $0.window = 1000 }
        var (admitted, most) = (0, 0)
        while scheduler.position < 100_000 {
            while scheduler.room > 0, admitted < 100_000 {
                admitted += 1
                scheduler.admit(identifier(admitted), position: admitted)
            }
            most = max(most, scheduler.waiting)
            while let job = scheduler.next(now: 0) { scheduler.complete(job) }
        }
        #expect(most == 1000)
    }

    @Test func `a dead letter that is tried again has no position`() throws {
        var scheduler = scheduler()
        scheduler.requeue(identifier(9))
        let job = try next(&scheduler, 0)
        #expect(job.isRequeued)
        scheduler.complete(job)
        #expect(scheduler.position == 0 && scheduler.isIdle)
    }
}
