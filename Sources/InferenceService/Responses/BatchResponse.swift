import HTTP
import Synchronization

/// Response body of a batch: lines that are produced while the images arrive and the lines are sent.
///
/// One task reads images and starts a task for each, of which a window runs at a time, so that the engine always has
/// waiting jobs, and a batch never occupies more of its queue than the window. Another task takes the lines in the order
/// of the images. Lines that the client does not read yet are kept in memory, because many clients send the whole body
/// before they read. After the deadline no image is begun, and one last line stands for all that were not.
final class BatchResponse: BodyStream {
    /// What a response does.
    struct Lines: Sendable {
        /// What precedes the first line; nil if nothing does.
        let header: [UInt8]?
        /// Returns the line of an image.
        let line: @Sendable (BatchReader.Item, _ otherFields: Int) async -> [UInt8]
        /// Notes the number of fields of a form that were not images.
        let noteFields: @Sendable (Int) -> Void
        /// Returns the line for a number of images, from an index on, that were not begun.
        let remainder: @Sendable (_ first: Int, _ count: Int) -> [UInt8]
        /// Returns the line at an index where the body cannot be read any further.
        let failure: @Sendable (Int, ServiceError) -> [UInt8]
        /// Reserves memory for lines; waits for it.
        let reserve: @Sendable (Int) async throws(ServiceError) -> BatchMemory
    }

    private let lines: Lines
    private let running: BoundedQueue<Task<[UInt8], Never>>
    private let output = BoundedQueue<Result<LinePiece, ServiceError>>(limit: .max)
    private let tasks = Mutex<[Task<Void, Never>]>([])

    /// Creates a response for `first` and the other images of `reader`, of which `window` are processed at a time.
    init(
        first: BatchReader.Item,
        _ reader: BatchReader,
        window: Int,
        deadline: ContinuousClock.Instant?,
        _ lines: Lines
    ) {
        self.lines = lines
        running = BoundedQueue(limit: window)
        let reading = Task { [running] in
            await Self.read(first, reader, deadline, lines, running)
            running.finish()
        }
        let writing = Task { [running, output] in
            await Self.write(running, lines, output)
            output.finish()
        }
        tasks.withLock { $0 = [reading, writing] }
    }

    func next() async throws -> [UInt8]? { try await output.next()?.get().take() }

    func cancel() {
        for task in tasks.withLock({ $0 }) { task.cancel() }
        while case .element(let line) = running.poll() { line.cancel() }
        // Tasks that wait for a place in a queue do not notice that they are cancelled.
        output.cancel()
        running.cancel()
    }

    private static func read(
        _ first: BatchReader.Item,
        _ reader: BatchReader,
        _ deadline: ContinuousClock.Instant?,
        _ lines: Lines,
        _ running: BoundedQueue<Task<[UInt8], Never>>
    ) async {
        var reader = reader
        var next: BatchReader.Item? = first
        var notDone: Range<Int>?
        do throws(ServiceError) {
            while let item = next, !Task.isCancelled {
                if notDone != nil || deadline.map({ .now >= $0 }) ?? false {
                    // The rest is read only to be counted.
                    notDone = (notDone?.lowerBound ?? item.index)..<item.index + 1
                } else {
                    let otherFields = reader.otherFields
                    let task = Task { await lines.line(item, otherFields) }
                    guard await running.push(task, weight: 1) else { return task.cancel() }
                }
                next = nil
                next = try await reader.next()
            }
        } catch {
            let (count, error) = (reader.count, error)
            _ = await running.push(Task { lines.failure(count, error) }, weight: 1)
        }
        lines.noteFields(reader.otherFields)
        if let notDone {
            _ = await running.push(Task { lines.remainder(notDone.lowerBound, notDone.count) }, weight: 1)
        }
    }

    /// Moves the lines from `running` to `output` in order, as each is finished.
    private static func write(
        _ running: BoundedQueue<Task<[UInt8], Never>>,
        _ lines: Lines,
        _ output: BoundedQueue<Result<LinePiece, ServiceError>>
    ) async {
        var header = lines.header
        var last: LinePiece?
        while let task = await running.next() {
            let text = await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }
            let line = (header ?? []) + text
            header = nil
            if let last, last.append(line) { continue }
            do throws(ServiceError) {
                let piece = LinePiece(try await lines.reserve(max(line.count, LinePiece.limit)))
                _ = piece.append(line)
                output.offer(.success(piece), weight: 1)
                last = piece
            } catch {
                output.offer(.failure(error), weight: 0)
                return running.cancel()
            }
        }
    }
}
