import HTTP
import Synchronization
import Testing

/// Memory budgets, transfer rates and outgoing bytes.
@Suite struct MemoryBudgetTests {
    @Test("A reservation is granted within the limit and counted until it is released")
    func reservations() throws {
        let budget = MemoryBudget(bytes: 100, work: 60)
        let first = try #require(budget.work.reserve(40))
        #expect(budget.work.reserve(30) == nil)
        let second = try #require(budget.work.reserve(20))
        #expect(budget.work.bytes == 60 && budget.buffers.bytes == 0)
        first.release()
        first.release()
        #expect(budget.work.bytes == 20)
        second.release()
        #expect(budget.work.bytes == 0)
    }

    @Test("A reservation is released when its last reference is dropped")
    func dropped() {
        let budget = MemoryBudget(bytes: 100, work: 60)
        do { _ = budget.work.reserve(40) }
        #expect(budget.work.bytes == 0)
    }

    @Test("A reservation above the limit is granted if it is the only one")
    func oversized() throws {
        let budget = MemoryBudget(bytes: 100, work: 60)
        let large = try #require(budget.work.reserve(500))
        #expect(budget.work.reserve(1) == nil && budget.work.reserve(0) != nil)
        large.release()
    }

    @Test("However often memory is released, the callback is called at the same depth of the stack")
    func callbackDepth() throws {
        let budget = MemoryBudget(bytes: 100, work: 60)
        let addresses = Mutex<[UInt]>([])
        budget.work.onRelease {
            var local: UInt8 = 0
            let address = withUnsafeMutablePointer(to: &local) { UInt(bitPattern: $0) }
            addresses.withLock { $0.append(address) }
        }
        for _ in 0..<2000 { try #require(budget.work.reserve(1)).release() }
        let found = addresses.withLock { $0 }
        #expect(found.count == 2000 && found.allSatisfy { max($0, found[0]) - min($0, found[0]) < 4096 })
    }

    @Test("Waiters are notified when memory is released")
    func releases() throws {
        let budget = MemoryBudget(bytes: 100, work: 60)
        let calls = Mutex(0)
        budget.work.onRelease { calls.withLock { $0 += 1 } }
        let reservation = try #require(budget.work.reserve(40))
        #expect(calls.withLock { $0 } == 0)
        reservation.release()
        reservation.release()
        #expect(calls.withLock { $0 } == 1)
    }

    @Test("A transfer's rate is infinite in its first second and drops to zero after a stall")
    func rates() {
        var rate = TransferRate(now: .zero)
        rate.moved(500_000, now: .milliseconds(500))
        #expect(rate.bytesPerSecond(now: .milliseconds(900)) == .infinity)
        rate.moved(500_000, now: .milliseconds(1500))
        let fast = rate.bytesPerSecond(now: .milliseconds(1600))
        #expect((200_000...1_000_000).contains(fast))
        #expect(rate.bytesPerSecond(now: .milliseconds(2500)) < fast)
        #expect(rate.bytesPerSecond(now: .seconds(10)) == 0)
    }

    @Test("Bytes are sent in order, regardless of the write size", arguments: [1, 3, 7, 100])
    func outgoing(_ step: Int) {
        var outgoing = OutgoingBytes()
        outgoing.append(Array(0..<10)[...])
        outgoing.append([])
        outgoing.append(Array(10..<25)[...])
        #expect(outgoing.count == 25)
        var sent: [UInt8] = []
        while !outgoing.isEmpty {
            let next = Array(outgoing.next(step))
            #expect((1...step).contains(next.count))
            sent += next
            outgoing.remove(next.count)
        }
        #expect(sent == Array(0..<25) && outgoing.next(10).isEmpty)
    }
}
