import Codecs
import DIA
import Engine
import HTTP
import Imaging
import ModelFile

/// Routes that take an image.
extension InferenceService {
    private func prepared(
        _ image: EncodedImage,
        _ model: Model.Information,
        _ rendering: Rendering,
        shown: ImageInput.Shown? = nil,
        _ context: inout RequestContext
    ) async throws -> PreparedImage {
        let start = ContinuousClock.now
        let image = try await input.prepare(
            image,
            for: model,
            rendering: rendering,
            shown: shown,
            deadline: context.deadline
        )
        context.timings.decoding = .now - start
        metrics.tolerated(image.defects)
        return image
    }

    /// Prepares the image in the `body` of `request`.
    private func prepared(
        _ request: AdmittedRequest,
        _ body: [UInt8],
        _ model: Model.Information,
        _ rendering: Rendering,
        shown: ImageInput.Shown,
        _ context: inout RequestContext
    ) async throws -> PreparedImage {
        let body = try await input.decompressed(body, of: request, context.deadline)
        let image = try ImageInput.image(in: body.bytes, request.bodyFormat, &context)
        return try await prepared(
            image,
            model,
            rendering,
            shown: shown,
            &context
        )
    }

    /// Records the times of an engine result and returns its value.
    private func noted<Value>(_ result: Timed<Value>, _ context: inout RequestContext) -> Value {
        context.timings.queued = result.queued
        context.timings.engine = result.executionTime
        return result.value
    }

    /// Returns the score of an image.
    ///
    /// `group` is the engine's group of the batch that the image belongs to. A batch has already been accepted, so
    /// its images wait while the engine's queue is full.
    func scored(
        _ image: EncodedImage,
        _ model: Model.Information,
        _ query: ScoreQuery,
        group: RequestGroup? = nil,
        _ context: inout RequestContext
    ) async throws -> ScoreObject {
        let image = try await prepared(image, model, query.rendering, &context)
        return try await scored(image, model, query, group: group, &context)
    }

    /// Returns the score of a decoded image.
    func scored(
        _ image: PreparedImage,
        _ model: Model.Information,
        _ query: ScoreQuery,
        group: RequestGroup? = nil,
        _ context: inout RequestContext
    ) async throws -> ScoreObject {
        let deadline = context.deadline
        let timed = try await engineWork(patience: group == nil ? nil : deadline) { () async throws(EngineError) in
            try await engine.score(image.input, model: model, group: group, deadline: deadline)
        }
        let result = noted(timed, &context)
        let rendering = query.rendering.object(image.header)
        let object = ScoreObject(
            information: model,
            result: result,
            header: image.header,
            check: image.check,
            rendering: rendering,
            warnings: context.warnings + image.warnings,
            requestID: context.id,
            provenance: image.pixelDigest.map { Provenance(model, image.header, pixelDigest: $0, rendering) },
            showsProvenance: query.hasProvenance
        )
        engine.driftMonitor.add(normality: result.normality, check: image.check, to: model)
        metrics.scored(model.manifest.name, score: object.score, verdict: object.verdict)
        return object
    }

    /// Returns the parameters `names` of a score or batch request.
    ///
    /// Others are ignored with a warning, because clients add their own, for example to trace requests.
    func parameters(
        _ names: [String],
        of request: AdmittedRequest,
        _ context: inout RequestContext
    ) throws(ServiceError) -> QueryParameters {
        let parameters = try request.parameters(names, ignoringOthers: true)
        context.warnings = parameters.warning.map { [$0] } ?? []
        return parameters
    }

    func score(
        _ request: AdmittedRequest,
        _ body: [UInt8],
        _ model: Model.Information,
        _ context: inout RequestContext
    ) async throws -> Response {
        let query = try ScoreQuery(parameters(ScoreQuery.names, of: request, &context))
        let body = try await input.decompressed(body, of: request, context.deadline)
        let image = try ImageInput.image(in: body.bytes, request.bodyFormat, &context)
        return json(try await scored(image, model, query, &context))
    }

    func dissolve(
        _ request: AdmittedRequest,
        _ body: [UInt8],
        _ model: Model.Information,
        _ context: inout RequestContext
    ) async throws -> Response {
        let parameters = try request.parameters(DissolveQuery.names(ofHeatMap: false) + Rendering.names)
        let steps = try DissolveQuery(parameters, of: model, maximumSteps: configuration.maximumSteps).steps
        let channels = model.manifest.input.channels
        let isStrip = steps.count > 1
        let panels = isStrip ? steps.count + 1 : 1
        let shown = ImageInput.Shown(
            channels: channels,
            isKept: isStrip,
            // The response and the parts that it is joined from.
            responseBytesPerPixel: 2 * panels * channels,
            resizedImages: steps.count
        )
        let image = try await prepared(request, body, model, Rendering(parameters), shown: shown, &context)
        let header = image.header
        guard header.width * header.height * panels <= configuration.maximumPixels else {
            throw ServiceError(422, "the response would have more than \(configuration.maximumPixels) pixels")
        }
        let dissolved = try await dissolved(image.input, model, steps, &context)
        return try await picture(header, panels: panels, channels: channels, context) {
            Strip(image.shown, dissolved, height: header.height, width: header.width).row
        }
    }

    func heatMap(
        _ request: AdmittedRequest,
        _ body: [UInt8],
        _ model: Model.Information,
        _ context: inout RequestContext
    ) async throws -> Response {
        let parameters = try request.parameters(DissolveQuery.names(ofHeatMap: true) + Rendering.names)
        let query = try DissolveQuery(parameters, of: model, maximumSteps: 1)
        guard !query.isOfScore || model.hasScoreMap else {
            throw ServiceError(422, "the score of model '\(model.manifest.name)' has no map; its parts are pooled")
        }
        let channels = query.isOverlay ? 3 : 1
        let shown = ImageInput.Shown(
            channels: 1,
            isKept: query.isOverlay,
            responseBytesPerPixel: 2 * channels,
            resizedImages: 1
        )
        let image = try await prepared(request, body, model, Rendering(parameters), shown: shown, &context)
        let header = image.header
        let map = try await heatMap(of: image.input, query, model, &context)
        return try await picture(header, panels: 1, channels: channels, context) {
            map.rows(over: image.shown, height: header.height, width: header.width)
        }
    }

    private func heatMap(
        of image: Image,
        _ query: DissolveQuery,
        _ model: Model.Information,
        _ context: inout RequestContext
    ) async throws -> HeatMap {
        guard query.isOfScore else {
            let part = model.manifest.dissolve
            let dissolved = try await dissolved(image, model, query.steps, &context)[0]
            return HeatMap(part.resampled(image), dissolved: dissolved)
        }
        let deadline = context.deadline
        let timed = try await engineWork { () async throws(EngineError) in
            try await engine.scoreMap(image, model: model, deadline: deadline)
        }
        guard let contributions = noted(timed, &context) else { throw ServiceError(422, "the score has no map") }
        return HeatMap(contributions: contributions)
    }

    /// Returns a response with a PNG of `panels` images of the size of `header`, side by side; `rows` returns a
    /// function that fills a row.
    private func picture(
        _ header: PNG.Header,
        panels: Int,
        channels: Int,
        _ context: RequestContext,
        _ rows: @escaping @Sendable () -> (_ y: Int, _ row: inout [UInt8]) -> Void
    ) async throws -> Response {
        let width = header.width * panels
        // Compression takes about four times as long as decoding.
        let cost = 4 * width * header.height * channels
        let body = try await input.pool.run(cost: cost, bytes: 0, deadline: context.deadline) { work in
            PNG.encode(
                height: header.height,
                width: width,
                channels: channels,
                isCancelled: { work.isCancelled },
                rows()
            )
        }
        guard let body else { throw WorkPool.Rejection.cancelled }
        return Response(200, contentType: "image/png", body: body)
    }

    /// Returns `image` dissolved at each of `steps`.
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
