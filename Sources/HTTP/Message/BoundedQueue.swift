import DequeModule
import Synchronization

/// A queue of limited weight between tasks: a full queue makes the producer wait, an empty one the consumer.
///
/// It has one producer and one consumer at a time.
public final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: Deque<(element: Element, weight: Int)> = []
        var weight = 0
        var isFinished = false
        /// Whether the queue has been full, and not half empty since.
        var isFull = false
        var consumer: CheckedContinuation<Void, Never>?
        var producer: CheckedContinuation<Void, Never>?
        var onRoom: (@Sendable () -> Void)?
    }

    private let limit: Int
    private let state = Mutex(State())

    /// Creates a queue that is full when the weight of its elements is at least `limit`.
    public init(limit: Int) { self.limit = limit }

    /// Weight of the elements in the queue.
    public var weight: Int { state.withLock { $0.weight } }

    /// Sets a callback that is called, on any thread, when a full queue has become half empty or less.
    public func onRoom(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.onRoom = action } }

    /// Appends an element even if the queue is full; returns whether there is room for more.
    ///
    /// Has no effect after ``finish()`` or ``cancel()``.
    @discardableResult
    public func offer(_ element: Element, weight: Int) -> Bool {
        let (consumer, hasRoom) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Bool) in
            guard !state.isFinished else { return (nil, true) }
            state.elements.append((element, weight))
            state.weight += weight
            if state.weight >= limit { state.isFull = true }
            defer { state.consumer = nil }
            return (state.consumer, !state.isFull)
        }
        consumer?.resume()
        return hasRoom
    }

    /// Appends an element when there is room; returns false if the queue has ended.
    public func push(_ element: Element, weight: Int) async -> Bool {
        while true {
            let (hasEnded, hasRoom) = state.withLock { ($0.isFinished, $0.weight < limit) }
            if hasEnded { return false }
            if hasRoom {
                offer(element, weight: weight)
                return true
            }
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard state.weight >= limit, !state.isFinished else { return false }
                    state.producer = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        }
    }

    /// Takes the next element, waiting for it; nil when the queue is empty and finished.
    public func next() async -> Element? {
        while true {
            switch poll() {
            case .element(let element): return element
            case .end: return nil
            case .empty:
                await withCheckedContinuation { continuation in
                    let mustWait = state.withLock { state in
                        guard state.elements.isEmpty, !state.isFinished else { return false }
                        state.consumer = continuation
                        return true
                    }
                    if !mustWait { continuation.resume() }
                }
            }
        }
    }

    /// What ``poll()`` finds.
    public enum Polled {
        case element(Element)
        /// Nothing yet.
        case empty
        /// Nothing, and nothing follows.
        case end
    }

    /// Takes the next element if there is one.
    public func poll() -> Polled {
        let (polled, producer, onRoom) = state.withLock {
            state -> (Polled, CheckedContinuation<Void, Never>?, (@Sendable () -> Void)?) in
            guard let (element, weight) = state.elements.popFirst() else {
                return (state.isFinished ? .end : .empty, nil, nil)
            }
            state.weight -= weight
            var (producer, onRoom) = (CheckedContinuation<Void, Never>?.none, (@Sendable () -> Void)?.none)
            if state.weight < limit { (producer, state.producer) = (state.producer, nil) }
            if state.isFull, state.weight <= limit / 2 {
                state.isFull = false
                onRoom = state.onRoom
            }
            return (.element(element), producer, onRoom)
        }
        producer?.resume()
        onRoom?()
        return polled
    }

    /// Ends the queue after its elements.
    public func finish() { end(isDiscarding: false) }

    /// Ends the queue and discards its elements.
    public func cancel() { end(isDiscarding: true) }

    private func end(isDiscarding: Bool) {
        let waiting = state.withLock { state in
            state.isFinished = true
            if isDiscarding { (state.elements, state.weight) = ([], 0) }
            defer { (state.consumer, state.producer, state.onRoom) = (nil, nil, nil) }
            return [state.consumer, state.producer]
        }
        for continuation in waiting { continuation?.resume() }
    }
}
