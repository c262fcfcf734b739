import Console
import Foundation
import Synchronization
import Training

/// Ctrl-C and SIGTERM: the first signal asks the command to stop, and a second one ends the process at once.
///
/// Loops poll ``isRequested``. Work that does not poll often enough is ended with the process shortly after the first signal;
/// if it is a long step of training, the state before the step is saved.
enum Interruption {
    private static let isAsked = Atomic<Bool>(false)
    /// The state of the stage that is training, which is saved if its step is too long to wait for.
    static let snapshot = StepSnapshot()

    /// The descriptor that the signal handler writes to; -1 until ``watch()``.
    private static let wakeUp = Atomic<Int32>(-1)
    /// Longer than any work between two polls should take, and shorter than the promised second, in milliseconds.
    private static let patience: Int32 = 800

    /// Installs the signal handlers.
    static func watch() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        wakeUp.store(ends[1], ordering: .relaxed)
        let readEnd = ends[0]
        // The process may have been started with these signals blocked, as Dispatch does in its threads, or ignored, as
        // shells do for background jobs.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&signals, number)
            // A signal handler may only do what is safe in one: set a flag, and write to a descriptor.
            signal(number) { _ in
                let saved = errno
                Interruption.isAsked.store(true, ordering: .relaxed)
                var byte: UInt8 = 0
                _ = write(Interruption.wakeUp.load(ordering: .relaxed), &byte, 1)
                errno = saved
            }
        }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        Thread.detachNewThread { endAfterSignal(readEnd) }
    }

    /// Waits for the first signal, and ends the process if the command does not end by itself.
    private static func endAfterSignal(_ descriptor: Int32) {
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) != 1 { guard errno == EINTR else { return } }
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let count = poll(&wanted, 1, patience)
            if count > 0 {
                end("interrupted again; run the same command to continue from the last checkpoint")
            }
            guard count == 0 else { continue }
            switch snapshot.save() {
            case .shortStep: continue
            case .saved: end(Interrupted(.training).description)
            case .notTraining: end("interrupted; run the same command to continue with what is saved")
            }
        }
    }

    /// Returns true after the first signal.
    static let isRequested: @Sendable () -> Bool = { isAsked.load(ordering: .relaxed) }

    private static func end(_ message: String) -> Never {
        // The lock of the standard streams is not taken, because the main thread may hold it.
        _ = writeAll(Array("\nError: \(message)\n".utf8), to: StandardStream.error.rawValue)
        _exit(1)
    }
}
