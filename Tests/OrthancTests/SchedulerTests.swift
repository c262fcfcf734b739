import Orthanc
import Testing

struct SchedulerTests {
    private func scheduler(_ change: (inout Scheduler.Policy) -> Void = { _ in }) -> Scheduler {
        var policy = Scheduler.Policy()
        change(&policy)
        return Scheduler(position: 0, policy: policy)
    }

    @Test func `the position is that before which everything is complete, in whatever order instances finish`() throws {
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
        let first = try #require(scheduler.next(now: 0))
        #expect(scheduler.next(now: 0) == nil)
        scheduler.complete(first)
        #expect(scheduler.next(now: 0)?.instance == identifier(1))
    }

    @Test func `a failing instance is tried again later and others are not held up`() throws {
        var scheduler = scheduler { ($0.attempts, $0.firstPause) = (3, 2) }
        scheduler.admit(identifier(1), position: 1)
        scheduler.admit(identifier(2), position: 2)
        let failing = try #require(scheduler.next(now: 0))
        #expect(scheduler.fail(failing, isPermanent: false, now: 0) == .retry)
        let other = try #require(scheduler.next(now: 0))
        #expect(other.instance == identifier(2))
        scheduler.complete(other)
        #expect(scheduler.next(now: 1.9) == nil)
        #expect(scheduler.nextTime(now: 1.9) == 2)
        let again = try #require(scheduler.next(now: 2))
        #expect(again.attempts == 1)
        #expect(scheduler.fail(again, isPermanent: false, now: 2) == .retry)
        #expect(scheduler.next(now: 5.9) == nil)
        let last = try #require(scheduler.next(now: 6))
        #expect(scheduler.fail(last, isPermanent: false, now: 6) == .giveUp)
        scheduler.complete(last)
        #expect(scheduler.position == 2)
    }

    @Test func `while a service is not available all wait and no attempt counts`() throws {
        var scheduler = scheduler { $0.attempts = 2 }
        for number in 1...3 { scheduler.admit(identifier(number), position: number) }
        for step in 0..<50 {
            let now = Double(100 * step)
            let job = try #require(scheduler.next(now: now))
            #expect(job.attempts == 0)
            scheduler.postpone(job, now: now)
            #expect(scheduler.next(now: now) == nil)
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
        let job = try #require(scheduler.next(now: 0))
        #expect(job.isRequeued)
        scheduler.complete(job)
        #expect(scheduler.position == 0 && scheduler.isIdle)
    }
}
