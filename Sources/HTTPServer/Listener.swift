import Dispatch

/// Owns a listening socket and reports waiting connections; used only on the server's queue.
final class Listener {
    private let socket: Socket
    private let source: any DispatchSourceRead
    private var isAccepting = false

    /// Creates a paused listener that calls `connectionWaiting` on `queue`.
    init(_ socket: consuming Socket, queue: DispatchQueue, connectionWaiting: @escaping () -> Void) {
        source = DispatchSource.makeReadSource(fileDescriptor: socket.descriptor, queue: queue)
        self.socket = socket
        source.setEventHandler(handler: connectionWaiting)
        // The descriptor must stay open until the source is cancelled.
        source.setCancelHandler { withExtendedLifetime(self) {} }
    }

    /// Returns the next connection; nil if none is waiting.
    func accept() throws(SystemCallError) -> Socket.Accepted? { try socket.accept() }

    /// Starts or pauses the reports; connections wait in the system's queue meanwhile.
    func setAccepting(_ wanted: Bool) {
        guard wanted != isAccepting else { return }
        isAccepting = wanted
        if wanted { source.resume() } else { source.suspend() }
    }

    /// Stops listening and closes the socket.
    func close() {
        // A suspended source cannot finish its cancellation.
        setAccepting(true)
        source.cancel()
    }
}
