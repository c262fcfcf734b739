import DIA
import Engine
import HTTP

/// Batch requests: many images in one request, with one response line each.
extension InferenceService {
    func batch(
        _ request: AdmittedRequest,
        _ body: CountedBody,
        _ model: String,
        _ context: inout RequestContext
    ) async throws -> Response {
        try acquirePermit(isBatch: true)
        do {
            let parameters = try parameters(ScoreQuery.names + ["fields"], of: request, &context)
            let fields = try parameters["fields"].map { (list) throws(ServiceError) in try ResultFields(list) }
            let query = try ScoreQuery(parameters, fields)
            var reader = BatchReader(body, request.bodyFormat, request.coding, imageBytes: input.maximumBytes) {
                [self] (bytes) async throws(ServiceError) in try await reserveForBatch(bytes)
            }
            guard let first = try await reader.next() else { throw ServiceError(400, "the batch is empty") }
            let (group, context) = (engine.makeRequestGroup(), context)
            let missingLabel = reader.missingLabel
            let isTable = BatchFormat.prefersTable(request.head)
            let format = isTable ? BatchFormat.table(BatchTable(fields, label: missingLabel.name)) : .lines(fields)
            let answer = BatchResponse(
                first: first,
                reader,
                window: 2 * configuration.maximumBatch,
                deadline: request.batchTimeout.map { context.start + $0 },
                BatchResponse.Lines(
                    header: format.header,
                    line: { [self] item, otherFields in
                        var context = context
                        context.ignore(fields: otherFields)
                        context.deadline = .now + request.timeout
                        return format.text(of: await line(item, model, query, group, context))
                    },
                    noteFields: { body.note(ignoredFields: $0) },
                    remainder: { [self] first, count in
                        format.text(of: BatchRemainder(firstIndex: first, count: count, error: late()))
                    },
                    failure: { index, error in
                        format.text(of: BatchLine(label: missingLabel, index: index, outcome: .failure(error)))
                    },
                    reserve: { [self] (bytes) async throws(ServiceError) in try await reserveForBatch(bytes) }
                )
            )
            return Response(
                200,
                contentType: format.contentType,
                stream: ObservedStream(answer) { [self] _ in releasePermit(isBatch: true) }
            )
        } catch {
            releasePermit(isBatch: true)
            throw error
        }
    }

    /// Reserves `bytes` of the memory for batches; waits until others release it, at most for the timeout of a request.
    private func reserveForBatch(_ bytes: Int) async throws(ServiceError) -> BatchMemory {
        let end = ContinuousClock.now + .seconds(configuration.timeoutSeconds)
        while true {
            if let share = batchBodies.reserve(bytes), let whole = configuration.budget.buffers.reserve(bytes) {
                return BatchMemory(reservations: [share, whole])
            }
            guard .now < end, !Task.isCancelled else { throw ImageInput.shortOfMemory }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Reserves memory for a body with several images that is held until all are finished.
    func holdBatchBody(_ body: ImageInput.Body) throws(ServiceError) -> MemoryBudget.Reservation {
        guard let held = batchBodies.reserve(body.bytes.count) else { throw ImageInput.shortOfMemory }
        return held
    }

    /// Returns the line of one image, with a result or an error.
    private func line(
        _ item: BatchReader.Item,
        _ model: String,
        _ query: ScoreQuery,
        _ group: RequestGroup,
        _ context: RequestContext
    ) async -> BatchLine {
        let (index, entry) = (item.index, item.entry)
        // The image holds its bytes until its line is written.
        defer { item.memory.release() }
        var label: BatchInput.Label?
        do {
            let cost = entry.parsedBytes / 4
            let read = try await input.pool.run(cost: cost, bytes: 0, deadline: context.deadline) { _ in
                BatchInput.read(entry)
            }
            label = read.label
            let encoded = try read.image.get()
            var context = context
            let object = try await current(model) { try await scored(encoded, $0, query, group: group, &context) }
            return BatchLine(label: read.label, index: index, outcome: .success(object))
        } catch {
            let error = self.error(error, otherwise: "the image could not be scored")
            return BatchLine(label: label ?? entry.label, index: index, outcome: .failure(error))
        }
    }
}
