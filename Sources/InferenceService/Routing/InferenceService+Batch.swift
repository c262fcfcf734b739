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
            let query = try ScoreQuery(parameters(ScoreQuery.names, of: request, &context))
            let start = ContinuousClock.now
            let (body, format) = (try await input.decompressed(body, of: request, context.deadline), request.bodyFormat)
            let held = try holdBatchBody(body)
            let parsed: Result<BatchInput.Content, ServiceError> = try await input.pool.run(
                cost: body.bytes.count / 4,
                bytes: 0,
                deadline: context.deadline
            ) { _ in
                Result { () throws(ServiceError) in try BatchInput.content(body.bytes, format) }
            }
            let content = try parsed.get()
            let entries = content.entries
            context.ignore(fields: content.otherFields)
            context.timings.decoding = .now - start
            let (group, context) = (engine.makeRequestGroup(), context)
            let answer = BatchResponse(count: entries.count, window: 2 * configuration.maximumBatch) { index in
                await self.line(index, entries[index], model, query, group, context)
            }
            return Response(
                200,
                contentType: "application/x-ndjson",
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
    ) async -> [UInt8] {
        var label: BatchInput.Label?
        do {
            let read = try await input.pool.run(cost: entry.count / 4, bytes: 0, deadline: context.deadline) { _ in
                BatchInput.read(entry)
            }
            label = read.label
            let encoded = try read.image.get()
            var context = context
            let object = try await current(model) { try await scored(encoded, $0, query, group: group, &context) }
            return BatchLine(label: read.label, index: index, outcome: .success(object)).encoded
        } catch {
            let error = self.error(error, otherwise: "the image could not be scored")
            return BatchLine(label: label ?? entry.label, index: index, outcome: .failure(error)).encoded
        }
    }
}

/// A line of a batch response.
private struct BatchLine: Encodable {
    let label: BatchInput.Label
    let index: Int
    let outcome: Result<ScoreObject, ServiceError>

    private enum Key: String, CodingKey {
        case filename, index, result, error
    }

    /// The line, with its ID as it was written.
    var encoded: [UInt8] {
        let members = JSON.encode(self)
        guard case .id(let id) = label else { return members }
        return Array("{\"id\":".utf8) + (id?.text ?? Array("null".utf8)[...]) + Array(",".utf8) + members.dropFirst()
    }

    private struct Problem: Encodable {
        let status: Int
        let title, detail: String
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        if case .filename(let name) = label { try container.encode(name, forKey: .filename) }
        try container.encode(index, forKey: .index)
        switch outcome {
        case .success(let object): try container.encode(object, forKey: .result)
        case .failure(let error):
            let problem = Problem(status: error.status, title: Response.reason(error.status), detail: error.detail)
            try container.encode(problem, forKey: .error)
        }
    }
}
