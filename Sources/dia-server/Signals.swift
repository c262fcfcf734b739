import Dispatch
import Foundation

/// Delivers signals as calls; while this exists, they do not terminate the process.
struct Signals {
    private let sources: [any DispatchSourceSignal]

    /// Calls `handler` with the number of each signal in `numbers` that arrives.
    init(_ numbers: [Int32], handler: @escaping @Sendable (Int32) -> Void) {
        sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { handler(number) }
            source.resume()
            return source
        }
    }
}
