import Dispatch
import HTTP

/// The shell around ``ConnectionRules``: the one owner of a connection's descriptor.
///
/// `@unchecked Sendable`: everything here runs on the server's queue.
final class Connection: @unchecked Sendable {
    /// What a connection needs of its server.
    struct Environment {
        let queue: DispatchQueue
        let now: () -> Duration
        let date: () -> String
        /// Handles a request and calls back, on the queue.
        let handle: (Request, @escaping @Sendable (Response) -> Void) -> Void
        let refusal: (RequestError) -> Response
        let closed: (Connection) -> Void
    }

    private let descriptor: Int32
    private let environment: Environment
    private var rules: ConnectionRules
    private let reader: any DispatchSourceRead
    private let writer: any DispatchSourceWrite
    private var isReading = true
    private var isWriting = false
    private var outgoing: [UInt8] = []
    private var outgoingStart = 0
    private var isClosed = false
    private static let readSize = 65_536

    init(descriptor: Int32, rules: ConnectionRules, environment: Environment) {
        self.descriptor = descriptor
        self.rules = rules
        self.environment = environment
        reader = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: environment.queue)
        writer = DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: environment.queue)
    }

    /// Starts reading.
    ///
    /// The descriptor is closed when both sources have let go of it.
    func start() {
        let group = DispatchGroup()
        let descriptor = descriptor
        group.enter()
        group.enter()
        reader.setCancelHandler { group.leave() }
        writer.setCancelHandler { group.leave() }
        group.notify(queue: environment.queue) { Socket.close(descriptor) }
        reader.setEventHandler { [unowned self] in self.readable() }
        writer.setEventHandler { [unowned self] in self.writable() }
        reader.resume()
    }

    /// Acts if the deadline has passed.
    func checkDeadline(_ now: Duration) {
        guard let deadline = rules.deadline, now >= deadline else { return }
        perform(rules.expired(now: now))
    }

    /// Finishes what was begun and starts nothing new.
    func drain() { perform(rules.drain()) }

    /// Closes at once.
    func abort() { close() }

    private func readable() {
        var buffer = [UInt8](repeating: 0, count: Self.readSize)
        // A few reads at a time, so that one fast sender does not keep the others waiting; what is left wakes
        // the source again.
        for _ in 0..<16 where !isClosed && rules.wantsInput {
            do {
                switch try Socket.receive(descriptor, into: &buffer) {
                case .bytes(let bytes): perform(rules.received(bytes, now: environment.now()))
                case .end: perform(rules.receivedEnd(now: environment.now()))
                case .nothingYet: return
                }
            } catch {
                close()
            }
        }
    }

    private func writable() {
        guard !isClosed else { return }
        flush()
    }

    private func perform(_ actions: [ConnectionRules.Action]) {
        for action in actions where !isClosed {
            switch action {
            case .handle(let request):
                environment.handle(request) { [weak self] response in self?.answer(response) }
            case .refuse(let error): answer(environment.refusal(error))
            case .send(let bytes):
                outgoing += bytes
                flush()
            case .closeSending: Socket.closeSending(descriptor)
            case .close: close()
            }
        }
        updateReading()
    }

    private func answer(_ response: Response) {
        guard !isClosed else { return }
        perform(rules.respond(response, date: environment.date(), now: environment.now()))
    }

    private func flush() {
        do {
            while outgoingStart < outgoing.count {
                let count = try Socket.send(descriptor, outgoing[outgoingStart...])
                if count == 0 { break }
                outgoingStart += count
            }
        } catch {
            return close()
        }
        let isDone = outgoingStart == outgoing.count
        if isDone {
            outgoing.removeAll()
            outgoingStart = 0
        }
        setWriting(!isDone)
        if isDone { perform(rules.sent(now: environment.now())) }
    }

    private func updateReading() {
        guard !isClosed, rules.wantsInput != isReading else { return }
        isReading = rules.wantsInput
        if isReading { reader.resume() } else { reader.suspend() }
    }

    private func setWriting(_ wanted: Bool) {
        guard !isClosed, wanted != isWriting else { return }
        isWriting = wanted
        if wanted { writer.resume() } else { writer.suspend() }
    }

    private func close() {
        guard !isClosed else { return }
        isClosed = true
        // A suspended source cannot be cancelled to its end, nor freed.
        if !isReading { reader.resume() }
        if !isWriting { writer.resume() }
        reader.cancel()
        writer.cancel()
        environment.closed(self)
    }
}
