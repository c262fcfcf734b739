import DIA
import Engine
import HTTP
import ModelFile

/// Routes of the Open Inference Protocol.
extension InferenceService {
    /// Returns the model named `name`; throws if its version is not `version`.
    func model(_ name: String, version: String?) throws(ServiceError) -> Model.Information {
        try checked(model(name), version: version)
    }

    /// Returns `model`; throws if its version is not `version`.
    func checked(_ model: Model.Information, version: String?) throws(ServiceError) -> Model.Information {
        guard version == nil || version == model.manifest.version else {
            throw ServiceError(404, "the only version of the model is \(model.manifest.version)")
        }
        return model
    }

    func ready(_ model: Model.Information) throws(ServiceError) -> Response {
        guard engine.passesVerification(model) else {
            throw ServiceError(503, "the model failed its self-check", headers: ["Retry-After": "60"])
        }
        struct Readiness: Encodable {
            let name: String
            let ready = true

            enum CodingKeys: CodingKey {
                case name, ready
            }
        }
        return json(Readiness(name: model.manifest.name))
    }

    /// Returns the loaded models; clients list them with this call.
    func repositoryIndex() -> Response {
        let models = engine.models
        return json(
            models.keys.sorted().compactMap { models[$0] }.map { model in
                OpenInference.IndexEntry(model, isReady: engine.passesVerification(model))
            }
        )
    }

    func infer(
        _ request: AdmittedRequest,
        _ body: [UInt8],
        _ model: Model.Information,
        _ context: inout RequestContext
    ) async throws -> Response {
        let start = ContinuousClock.now
        do {
            let (response, timings) = try await inferred(request, body, model, context)
            statistics.record(model, since: start, timings)
            return response
        } catch EngineError.modelReplaced {
            // The request is repeated with the new model.
            throw EngineError.modelReplaced
        } catch {
            statistics.record(model, since: start, nil)
            throw error
        }
    }

    /// Returns the response, and the timings of its images.
    private func inferred(
        _ request: AdmittedRequest,
        _ body: [UInt8],
        _ model: Model.Information,
        _ context: RequestContext
    ) async throws -> (Response, [RequestContext.Timings]) {
        let headerLength = try OpenInference.Body.headerLength(request.head.headers)
        // Unlike PNG files, samples are not compressed yet: a dark background alone shrinks a hundredfold.
        let body = try await input.decompressed(body, of: request, context.deadline, ratio: 100)
        let held = try holdBatchBody(body)
        defer { held.release() }
        let limits = OpenInference.Limits(
            channels: model.manifest.input.channels,
            maximumPixels: configuration.maximumPixels
        )
        let parsed: Result<OpenInference.Request, ServiceError> = try await input.pool.run(
            cost: body.bytes.count / 4,
            bytes: 0,
            deadline: context.deadline
        ) { work in
            Result { () throws(ServiceError) in
                try OpenInference.Request(
                    parsing: body.bytes,
                    headerLength: headerLength,
                    limits: limits,
                    isCancelled: { work.isCancelled }
                )
            }
        }
        let call = try parsed.get()
        let outputs = try outputs(call, model)
        let results = try await results(call, model, context)
        body.memory?.release()
        var answer = OpenInference.Answer(
            modelName: model.manifest.name,
            modelVersion: model.manifest.version,
            id: call.id
        )
        for (output, isBinary) in outputs {
            answer.append(output, results.map { Self.value(output, $0.object) }, isBinary: isBinary)
        }
        return (answer.response, results.map(\.timings))
    }

    /// Returns the requested outputs; if none are named, all outputs of the model.
    private func outputs(
        _ call: OpenInference.Request,
        _ model: Model.Information
    ) throws(ServiceError) -> [(OpenInference.Output, isBinary: Bool)] {
        let known = OpenInference.Output.of(model)
        guard let wanted = call.outputs, !wanted.isEmpty else { return known.map { ($0, call.areOutputsBinary) } }
        let found = wanted.compactMap { output in
            OpenInference.Output(rawValue: output.name).map { ($0, isBinary: output.isBinary) }
        }
        guard found.count == wanted.count, found.allSatisfy({ known.contains($0.0) }) else {
            let names = known.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(400, "an output is unknown; the model's outputs are \(names)")
        }
        return found
    }

    private static func value(_ output: OpenInference.Output, _ object: ScoreObject) -> OpenInference.Element {
        switch output {
        case .normality: .number(Float(object.result.normality))
        case .score: .number(object.score.map { Float($0) })
        case .pValue: .number(object.pValue.map { Float($0) })
        case .anomalous: .boolean(object.verdict == .anomalous)
        case .verdict: .text(object.verdict?.rawValue ?? "")
        case .typical: .boolean(object.isTypical)
        }
    }

    /// A score, and how long its stages took.
    private struct Scored {
        let object: ScoreObject
        let timings: RequestContext.Timings
    }

    /// Returns the scores of the images of `call` in order, processing a window of them at a time; throws the first
    /// error.
    private func results(
        _ call: OpenInference.Request,
        _ model: Model.Information,
        _ context: RequestContext
    ) async throws -> [Scored] {
        let requestGroup = engine.makeRequestGroup()
        let (images, rendering) = (call.images, call.rendering)
        return try await withThrowingTaskGroup(of: (Int, Scored).self) { group in
            var results = [Scored?](repeating: nil, count: images.count)
            func begin(_ index: Int) {
                guard index < images.count else { return }
                group.addTask {
                    do {
                        return (index, try await self.scored(images[index], model, rendering, requestGroup, context))
                    } catch let error as ServiceError {
                        throw error.of("image \(index)")
                    }
                }
            }
            let window = 2 * configuration.maximumBatch
            for index in 0..<min(window, images.count) { begin(index) }
            var next = window
            while let (index, result) = try await group.next() {
                results[index] = result
                begin(next)
                next += 1
            }
            return results.compactMap { $0 }
        }
    }

    private func scored(
        _ image: OpenInference.InputImage,
        _ model: Model.Information,
        _ rendering: Rendering,
        _ group: RequestGroup,
        _ context: RequestContext
    ) async throws -> Scored {
        var context = context
        let object: ScoreObject
        switch image {
        case .file(let file): object = try await scored(file, model, ScoreQuery(rendering), group: group, &context)
        case .samples(let samples):
            let start = ContinuousClock.now
            let prepared = try await input.prepare(
                samples,
                for: model,
                rendering: rendering,
                deadline: context.deadline
            )
            context.timings.decoding = .now - start
            object = try await scored(prepared, model, ScoreQuery(rendering), group: group, &context)
        }
        return Scored(object: object, timings: context.timings)
    }
}
