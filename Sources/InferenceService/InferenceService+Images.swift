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
        let image = try await input.decode(bytes, asGray: channels == 1) { decoded in
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
        json(try await scored(input.bytes(of: request), model, &context))
    }

    func dissolve(
        _ request: Request,
        _ model: Model.Information,
        _ context: inout RequestContext
    ) async throws -> Response {
        let steps = try DissolveQuery(request.head.query, of: model, maximumSteps: configuration.maximumSteps).steps
        let image = try await prepared(input.bytes(of: request), model, isShown: steps.count > 1, &context)
        let header = image.header
        let panels = steps.count > 1 ? steps.count + 1 : 1
        guard header.width * header.height * panels <= configuration.maximumPixels else {
            throw ServiceError(422, "the answer would be larger than \(configuration.maximumPixels) pixels")
        }
        let dissolved = try await dissolved(image.input, model, steps, &context)
        let body = await input.run {
            let resized = dissolved.map { $0.resized(height: header.height, width: header.width) }
            return PNG.encode(Strip.of((image.shown.map { [$0] } ?? []) + resized))
        }
        return Response(200, contentType: "image/png", body: body)
    }

    func heatMap(
        _ request: Request,
        _ model: Model.Information,
        _ context: inout RequestContext
    ) async throws -> Response {
        let query = try DissolveQuery(request.head.query, of: model, maximumSteps: 1, takesOverlay: true)
        let image = try await prepared(input.bytes(of: request), model, isShown: query.isOverlay, &context)
        let header = image.header
        let dissolved = try await dissolved(image.input, model, query.steps, &context)[0]
        let body = await input.run {
            let map = HeatMap.of(image.input, dissolved: dissolved).resized(height: header.height, width: header.width)
            return PNG.encode(image.shown.map { HeatMap.overlay(map, on: $0) } ?? map)
        }
        return Response(200, contentType: "image/png", body: body)
    }

    /// `image` dissolved at each of `steps`.
    private func dissolved(
        _ image: Image,
        _ model: Model.Information,
        _ steps: [Int],
        _ context: inout RequestContext
    ) async throws -> [Image] {
        let deadline = context.deadline
        let timed = try await engineWork { () async throws(EngineError) in
            try await engine.dissolve(image, model: model, steps: steps, deadline: deadline)
        }
        return noted(timed, &context)
    }
}
