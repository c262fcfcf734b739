import Dispatch
import Foundation

/// Signals as calls: while this lives they do not end the process.
struct Signals {
    private let sources: [any DispatchSourceSignal]

    /// Calls `handler` with the number of each of `numbers` that arrives.
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
