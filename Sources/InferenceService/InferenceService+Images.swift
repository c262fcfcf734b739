import Codecs
import DIA
import HTTP
import Imaging
import ModelFile
import Synchronization

/// The routes that take an image.
extension InferenceService {
    /// A decoded image in the sizes that are needed of it.
    private struct PreparedImage: Sendable {
        let header: PNG.Header
        /// As the model takes it.
        let input: Image
        /// As it is shown in a strip, where one is asked for.
        let shown: Image?
    }

    private func prepared(
        _ bytes: ArraySlice<UInt8>,
        _ model: Model.Information,
        isShown: Bool,
        _ context: inout RequestContext
    ) async throws(ServiceError) -> PreparedImage {
        let start = ContinuousClock.now
        let channels = model.manifest.input.channels
        let image = try await input.decode(bytes) { decoded in
            PreparedImage(
                header: decoded.header,
                input: model.prepare(decoded.image),
                shown: isShown ? decoded.image.converted(toChannels: channels) : nil
            )
        }
        context.timings.decoding = .now - start
        return image
    }

    /// The value of what the engine did, its times noted.
    private func noted<Value>(_ result: Timed<Value>, _ context: inout RequestContext) -> Value {
        context.timings.queued = result.queued
        context.timings.engine = result.ran
        return result.value
    }

    /// The score of a PNG; `flow` is the engine's name for the batch that it is a part of, which waits while the
    /// engine's queue is full: it has been accepted.
    func scored(
        _ bytes: ArraySlice<UInt8>,
        _ model: Model.Information,
        flow: UInt64? = nil,
        _ context: inout RequestContext
    ) async throws -> ScoreObject {
        let image = try await prepared(bytes, model, isShown: false, &context)
        let deadline = context.deadline
        let timed = try await engineWork(patience: flow == nil ? nil : deadline) { () async throws(EngineError) in
            try await engine.score(image.input, model: model, flow: flow, deadline: deadline)
        }
        let result = noted(timed, &context)
        metrics.scored(model.manifest.name, model.calibration, normality: result.normality)
        return ScoreObject(information: model, result: result, header: image.header, requestID: context.id)
    }

    func score(
        _ request: Request,
        _ model: Model.Information,
        _ context: inout RequestContext
    ) async throws -> Response {
        let object = try await scored(input.bytes(of: request), model, &context)
        var response = Response(200, contentType: "application/json", body: JSON.encode(object))
        response.headers.append("Cache-Control", "no-store")
        return response
    }

    func dissolve(
        _ request: Request,
        _ model: Model.Information,
        _ context: inout RequestContext
    ) async throws -> Response {
        let steps = try steps(request.head.query, model)
        let image = try await prepared(input.bytes(of: request), model, isShown: steps.count > 1, &context)
        let header = image.header
        let panels = steps.count > 1 ? steps.count + 1 : 1
        guard header.width * header.height * panels <= configuration.maximumPixels else {
            throw ServiceError(422, "the answer would be larger than \(configuration.maximumPixels) pixels")
        }
        let deadline = context.deadline
        let timed = try await engineWork { () async throws(EngineError) in
            try await engine.dissolve(image.input, model: model, steps: steps, deadline: deadline)
        }
        let dissolved = noted(timed, &context)
        let body = await input.run {
            let resized = dissolved.map { $0.resized(height: header.height, width: header.width) }
            return PNG.encode(Strip.of((image.shown.map { [$0] } ?? []) + resized))
        }
        var response = Response(200, contentType: "image/png", body: body)
        response.headers.append("Cache-Control", "no-store")
        return response
    }

    /// The steps that `t` lists, or the model's own.
    private func steps(
        _ query: [(name: String, value: String)],
        _ model: Model.Information
    ) throws(ServiceError) -> [Int] {
        let part = model.manifest.dissolve
        guard query.allSatisfy({ $0.name == "t" }) else {
            throw ServiceError(400, "the one query parameter here is 't'")
        }
        guard let list = query.first else { return [part.defaultT] }
        guard query.count == 1 else { throw ServiceError(400, "'t' stands more than once; separate steps by commas") }
        let words = list.value.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.filter { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        let steps = numbers.compactMap { Int($0) }.filter { (0..<part.timesteps).contains($0) }
        guard steps.count == words.count else {
            throw ServiceError(400, "'t' takes whole numbers from 0 to \(part.timesteps - 1), separated by commas")
        }
        guard steps.count <= configuration.maximumSteps else {
            throw ServiceError(400, "'t' takes at most \(configuration.maximumSteps) steps")
        }
        return steps
    }
}
