import Synchronization

/// Combines the results of several jobs: all of them in order, or the first failure.
final class ResultCollector<Value: Sendable>: Sendable {
    private struct State {
        var results: [Timed<Value>?]
        var isComplete = false
    }

    private let state: Mutex<State>
    private let completion: @Sendable (Result<[Timed<Value>], EngineError>) -> Void

    init(count: Int, completion: @escaping @Sendable (Result<[Timed<Value>], EngineError>) -> Void) {
        state = Mutex(State(results: Array(repeating: nil, count: count)))
        self.completion = completion
    }

    /// Records the result of the job at `index`.
    func complete(_ index: Int, _ result: Result<Timed<Value>, EngineError>) {
        let outcome: Result<[Timed<Value>], EngineError>? = state.withLock { state in
            guard !state.isComplete else { return nil }
            switch result {
            case .success(let value): state.results[index] = value
            case .failure(let error):
                state.isComplete = true
                return .failure(error)
            }
            let values = state.results.compactMap { $0 }
            guard values.count == state.results.count else { return nil }
            state.isComplete = true
            return .success(values)
        }
        if let outcome { completion(outcome) }
    }
}
