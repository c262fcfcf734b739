import HTTP
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct BoundedQueueTests {
    @Test("Elements arrive in order, and the producer waits while the queue is full")
    func order() async {
        let queue = BoundedQueue<Int>(limit: 3)
        let most = Mutex(0)
        async let produced: Void = {
            for number in 0..<1000 { #expect(await queue.push(number, weight: 1)) }
            queue.finish()
        }()
        var received: [Int] = []
        while let number = await queue.next() {
            most.withLock { $0 = max($0, queue.weight) }
            received.append(number)
        }
        await produced
        #expect(received == Array(0..<1000) && most.withLock { $0 } <= 3)
    }

    @Test("A full queue takes offers, says so, and tells when it is half empty")
    func offers() async {
        let queue = BoundedQueue<Int>(limit: 10)
        let calls = Atomic<Int>(0)
        queue.onRoom { calls.add(1, ordering: .relaxed) }
        #expect(queue.offer(1, weight: 6) && !queue.offer(2, weight: 6) && !queue.offer(3, weight: 0))
        #expect(await queue.next() == 1 && calls.load(ordering: .relaxed) == 0)
        #expect(await queue.next() == 2 && calls.load(ordering: .relaxed) == 1)
        #expect(await queue.next() == 3 && calls.load(ordering: .relaxed) == 1 && queue.offer(4, weight: 1))
    }

    @Test("A cancelled queue releases whoever waits, and its elements")
    func cancels() async {
        let queue = BoundedQueue<Int>(limit: 1)
        queue.offer(1, weight: 1)
        async let pushed = queue.push(2, weight: 1)
        await Task.yield()
        queue.cancel()
        #expect(await !pushed)
        #expect(await queue.next() == nil && queue.weight == 0)
        let empty = BoundedQueue<Int>(limit: 1)
        async let next = empty.next()
        await Task.yield()
        empty.finish()
        #expect(await next == nil)
    }
}
