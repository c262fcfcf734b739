import ArgumentParser
import Dispatch
import Foundation
import Synchronization

/// Ends the process on Ctrl-C and SIGTERM, with a valid output.
///
/// The action that was registered ends the run; by default it has less than a second. After that the process ends in any case, so
/// that a server that does not respond and a reader that does not read cannot hold it.
///
/// `@unchecked Sendable`: the sources do not change, and the state is protected by a lock.
final class Interruption: @unchecked Sendable {
    private struct State {
        var action: (@Sendable () -> Void)?
        var signal: Int32?
    }

    private let state = Mutex(State())
    private let sources: [any DispatchSourceSignal]
    private let patience: DispatchTimeInterval

    /// Takes over the signals; `patience` is the time that the action has.
    init(patience: DispatchTimeInterval = .milliseconds(800)) {
        self.patience = patience
        let queue = DispatchQueue(label: "dia.signals")
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: queue)
        }
        for (source, number) in zip(sources, [SIGINT, SIGTERM, SIGHUP]) {
            source.setEventHandler { [weak self] in self?.arrived(number, queue) }
            source.resume()
        }
    }

    private func arrived(_ number: Int32, _ queue: DispatchQueue) {
        let action = state.withLock { state in
            state.signal = state.signal ?? number
            return state.action
        }
        action?()
        queue.asyncAfter(deadline: .now() + (action == nil ? .milliseconds(0) : patience)) {
            _exit(Self.status(number))
        }
    }

    /// Sets what a signal does before the process ends; without an action it ends at once.
    func onSignal(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.action = action } }

    /// The exit status after a signal, as that of a process that a signal has ended in a shell.
    var exitCode: ExitCode { ExitCode(Self.status(state.withLock { $0.signal } ?? SIGINT)) }

    private static func status(_ number: Int32) -> Int32 { 128 + number }
}
