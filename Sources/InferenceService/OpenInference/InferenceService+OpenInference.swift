import DIA
import Engine
import HTTP
import ModelFile

/// Routes of the Open Inference Protocol.
extension InferenceService {
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

    func infer(
        _ request: AdmittedRequest,
        _ body: [UInt8],
        _ model: Model.Information,
        _ context: inout RequestContext
    ) async throws -> Response {
        let body = try await input.decompressed(body, of: request, context.deadline)
        let held = try holdBatchBody(body)
        defer { held.release() }
        let parsed: Result<OpenInference.Request, ServiceError> = try await input.pool.run(
            cost: body.bytes.count / 4,
            bytes: 0,
            deadline: context.deadline
        ) { work in
            Result { () throws(ServiceError) in
                try OpenInference.Request(parsing: body.bytes, isCancelled: { work.isCancelled })
            }
        }
        let call = try parsed.get()
        let outputs = try outputs(call, model)
        let results = try await results(call.images, model, context)
        body.memory?.release()
        let values = outputs.map { output in
            OpenInference.Answer.Values(
                name: output.rawValue,
                datatype: output.datatype,
                shape: [results.count],
                data: results.map { Self.value(output, $0) }
            )
        }
        let answer = OpenInference.Answer(
            modelName: model.manifest.name,
            modelVersion: model.manifest.version,
            id: call.id,
            outputs: values
        )
        return json(answer)
    }

    /// Returns the requested outputs; if none are named, all outputs of the model.
    private func outputs(
        _ call: OpenInference.Request,
        _ model: Model.Information
    ) throws(ServiceError) -> [OpenInference.Output] {
        let known = OpenInference.Output.of(model)
        guard let wanted = call.outputs, !wanted.isEmpty else { return known }
        let found = wanted.compactMap { OpenInference.Output(rawValue: $0) }.filter(known.contains)
        guard found.count == wanted.count else {
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

    /// Returns the scores of `images` in order, processing a window of them at a time; throws the first error.
    private func results(
        _ images: [EncodedImage],
        _ model: Model.Information,
        _ context: RequestContext
    ) async throws -> [ScoreObject] {
        let requestGroup = engine.makeRequestGroup()
        return try await withThrowingTaskGroup(of: (Int, ScoreObject).self) { group in
            var results = [ScoreObject?](repeating: nil, count: images.count)
            func begin(_ index: Int) {
                guard index < images.count else { return }
                group.addTask {
                    var context = context
                    do {
                        let object = try await self.scored(images[index], model, .none, group: requestGroup, &context)
                        return (index, object)
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
}
