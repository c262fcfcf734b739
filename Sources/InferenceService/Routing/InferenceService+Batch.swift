import DIA
import Engine
import HTTP

/// Batch requests: many images in one request, with one response line each.
extension InferenceService {
    func batch(
        _ request: AdmittedRequest,
        _ body: [UInt8],
        _ model: String,
        _ context: inout RequestContext
    ) async throws -> Response {
        try acquirePermit(isBatch: true)
        do {
            let parameters = try parameters(ScoreQuery.names + ["fields"], of: request, &context)
            let fields = try parameters["fields"].map { (list) throws(ServiceError) in try ResultFields(list) }
            let query = try ScoreQuery(parameters, fields)
            let start = ContinuousClock.now
            let (body, format) = (try await input.decompressed(body, of: request, context.deadline), request.bodyFormat)
            let held = try holdBatchBody(body)
            let parsed: Result<BatchInput.Content, ServiceError> = try await input.pool.run(
                cost: body.bytes.count / 4,
                bytes: 0,
                deadline: context.deadline
            ) { [maximumBytes = input.maximumBytes] work in
                Result { () throws(ServiceError) in
                    try BatchInput.content(
                        body.bytes,
                        format,
                        maximumBytes: maximumBytes,
                        isCancelled: { work.isCancelled }
                    )
                }
            }
            let content = try parsed.get()
            let entries = content.entries
            context.ignore(fields: content.otherFields)
            context.timings.decoding = .now - start
            let (group, context) = (engine.makeRequestGroup(), context)
            let lines =
                BatchFormat.prefersTable(request.head)
                ? BatchFormat.table(BatchTable(fields, label: content.label)) : .lines(fields)
            let answer = BatchResponse(
                count: entries.count,
                window: 2 * configuration.maximumBatch,
                deadline: context.deadline,
                BatchResponse.Lines(
                    header: lines.header,
                    line: { lines.text(of: await self.line($0, entries[$0], model, query, group, context)) },
                    remainder: { first, count in
                        lines.text(of: BatchRemainder(firstIndex: first, count: count, error: self.late()))
                    }
                )
            )
            return Response(
                200,
                contentType: lines.contentType,
                stream: ObservedStream(answer) { _ in
                    // The images are slices of the body, so its memory is reserved until all are finished.
                    body.memory?.release()
                    held.release()
                    self.releasePermit(isBatch: true)
                }
            )
        } catch {
            releasePermit(isBatch: true)
            throw error
        }
    }

    /// Reserves memory for a body that is held for a long time.
    func holdBatchBody(_ body: ImageInput.Body) throws(ServiceError) -> MemoryBudget.Reservation {
        guard let held = batchBodies.reserve(body.bytes.count) else { throw ImageInput.shortOfMemory }
        return held
    }

    /// Returns the line of one image, with a result or an error.
    private func line(
        _ index: Int,
        _ entry: BatchInput.Entry,
        _ model: String,
        _ query: ScoreQuery,
        _ group: RequestGroup,
        _ context: RequestContext
    ) async -> BatchLine {
        var label: BatchInput.Label?
        do {
            let read = try await input.pool.run(cost: entry.count / 4, bytes: 0, deadline: context.deadline) { _ in
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
