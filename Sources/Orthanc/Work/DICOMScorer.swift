public import Client
import Codecs
public import DICOM
import Foundation
import Imaging
import Synchronization

/// Renders DICOM files as the rules say, and has the service score them.
public final class DICOMScorer: InstanceScorer {
    private let rules: Rules
    private let service: ServiceClient
    private let limits: DecodingLimits
    private let maximumPixels: Int
    private let program: String
    private let idle = Mutex<[DecodingProcess]>([])
    /// How the images of a model are rendered, and the version of the model of which that is known.
    private let windows = Mutex<[String: (mapping: RenderingOptions.Mapping, digest: String)]>([:])

    /// Creates a scorer; `program` is the name and version of this program.
    public init(
        rules: Rules,
        service: ServiceClient,
        limits: DecodingLimits = DecodingLimits(),
        maximumPixels: Int = 100_000_000,
        program: String
    ) {
        (self.rules, self.service, self.limits, self.maximumPixels) = (rules, service, limits, maximumPixels)
        self.program = program
    }

    /// What the results of this program have as their Manufacturer.
    public static let manufacturer = "DIA"

    /// Renders a file by the rule that applies, and has it scored.
    public func evaluate(_ file: [UInt8], _ record: InstanceRecord) throws(ScoringError) -> Evaluation {
        // A process that no other file uses at the same time.
        let process = idle.withLock { $0.popLast() } ?? DecodingProcess(limits: limits)
        defer { idle.withLock { $0.append(process) } }
        do {
            let metadata = try process.metadata(bytes: file)
            if let reason = Self.reasonToSkip(metadata) { return .skip(reason) }
            guard let rule = rules.rule(for: metadata, remoteAETitle: record.remoteAETitle) else {
                return .skip("no rule applies")
            }
            guard let model = rule.model else { return .skip("rule '\(rule.name)'") }
            let options = RenderingOptions(
                mapping: try rule.window ?? window(of: model),
                frames: .one(rule.frame),
                maximumPixels: maximumPixels
            )
            var rendered: RenderedFrame?
            try process.render(bytes: file, options) { rendered = $1 }
            guard let rendered else { throw DICOMError.noPixelData }
            let study = rule.outputs.isEmpty ? nil : try process.studyAttributes(bytes: file)
            return .result(try result(rule, model, metadata, record, rendered, study))
        } catch let error as DICOMError {
            if case .noPixelData = error { return .skip("no image") }
            if case .processFailed = error { throw .temporary("\(error)") }
            throw .permanent("\(error)")
        } catch let error as ClientError {
            throw Self.failure(error)
        } catch let error as ScoringError {
            throw error
        } catch {
            throw .temporary("decoding failed")
        }
    }

    /// Why an image is not scored whatever the rules say; nil if there is no such reason.
    public static func reasonToSkip(_ metadata: DICOMMetadata) -> String? {
        metadata.manufacturer == manufacturer ? "a result of this program" : nil
    }

    /// Returns the rendering that a model was calibrated with.
    public func window(of model: String) throws(ClientError) -> RenderingOptions.Mapping {
        if let known = windows.withLock({ $0[model]?.mapping }) { return known }
        let models = try service.models().models
        let found = windows.withLock { windows in
            for each in models {
                let mapping: RenderingOptions.Mapping =
                    switch each.rendering?.window {
                    case "full": .full
                    case "none": .none
                    default: .voi(index: nil)
                    }
                windows[each.name] = (mapping, each.digest)
            }
            return windows[model]?.mapping
        }
        guard let found else { throw .problem(Problem(status: 404, detail: "there is no model '\(model)'")) }
        return found
    }

    private func result(
        _ rule: Rules.Rule,
        _ model: String,
        _ metadata: DICOMMetadata,
        _ record: InstanceRecord,
        _ frame: RenderedFrame,
        _ study: StudyAttributes?
    ) throws -> InstanceResult {
        let png = PNG.encode(frame.image)
        let answer = try service.score(png, model: model, [("provenance", "true")])
        let score = answer.score
        // Another version of the model may be calibrated for another rendering.
        let isReplaced = windows.withLock { windows in
            guard let known = windows[model], known.digest != score.model.digest else { return false }
            windows[model] = nil
            return true
        }
        if isReplaced, rule.window == nil { throw ScoringError.temporary("the model was replaced while it was used") }
        var objects: [InstanceResult.Object] = []
        if let study {
            let source = ResultSource(metadata: metadata, record: record, study: study, frame: frame)
            let finding = Finding(answer: answer, program: program)
            for output in rule.outputs {
                switch output {
                case .structuredReport: objects.append(StructuredReport.object(finding, source))
                case .secondaryCapture:
                    let picture = try service.picture(.heatmap, of: png, model: model, [])
                    objects.append(try SecondaryCapture.object(finding, source, picture: picture))
                }
            }
        }
        return InstanceResult(
            rule: rule.name,
            model: Mark.Model(name: score.model.name, version: score.model.version, digest: score.model.digest),
            verdict: score.verdict,
            score: score.score,
            normality: score.normality,
            pValue: score.pValue,
            attachment: try Self.attachment(rule, frame, answer, program),
            objects: objects
        )
    }

    /// The complete result: how the image was rendered, and the score object with its provenance.
    private static func attachment(
        _ rule: Rules.Rule,
        _ frame: RenderedFrame,
        _ answer: ScoreAnswer,
        _ program: String
    ) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let rendering = String(decoding: try encoder.encode(frame.record), as: UTF8.self)
        let name = String(decoding: try encoder.encode(rule.name), as: UTF8.self)
        let text = """
            {"notice":"\(Notice.text)","program":"\(program)","rule":\(name),"rendering":\(rendering),"result":
            """
        return Array(text.utf8) + answer.json + Array("}\n".utf8)
    }

    private static func failure(_ error: ClientError) -> ScoringError {
        switch error {
        case .cannotConnect, .tls: .unavailable("dia-server: \(error)")
        case .timeout, .connectionLost, .invalidResponse: .temporary("dia-server: \(error)")
        case .problem(let problem):
            switch problem.status {
            case 401, 403, 429, 502, 503, 504: .unavailable("dia-server: \(error)")
            case 400, 413, 415, 422: .permanent("dia-server: \(error)")
            default: .temporary("dia-server: \(error)")
            }
        }
    }
}
