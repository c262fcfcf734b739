import Codecs
import Engine
import Foundation
import HTTP
import Imaging
import InferenceService
import Metrics
import ModelFile
import TestSupport
import Testing

/// How the samples of gray images become gray levels.
@Suite struct RenderingTests {
    private let service: DocumentedService
    private let samples = (0..<24 * 24).map { (index: Int) -> UInt16 in UInt16((index * 37 + index / 24 * 101) % 4096) }

    init() throws {
        let metrics = MetricsRegistry()
        let engine = try Engine.loaded(Engine.Configuration(), metrics: metrics) {
            [try ModelDirectory(path: ReferenceModels.folder("gray-pad").path)]
        }
        service = DocumentedService(engine, InferenceService.Configuration(), metrics: metrics)
    }

    private func respond(_ body: [UInt8], _ query: String, path: String = "/v1/score") async -> Response {
        let headers: HeaderFields = ["Content-Length": String(body.count), "Content-Type": "image/png"]
        let head = RequestHead(method: "POST", path: path, rawQuery: query, headers: headers)
        return await service.respond(to: Request(head: head, body: body))
    }

    private func score(_ body: [UInt8], _ query: String = "") async throws -> [String: JSONValue] {
        let response = await respond(body, query)
        #expect(response.status == 200, "\(query)")
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(response.body))
        guard case .object(let members) = value else { throw CocoaError(.coderInvalidValue) }
        return members
    }

    private func normality(_ body: [UInt8], _ query: String = "") async throws -> Double {
        guard case .number(let normality) = try await score(body, query)["normality"] else { return .nan }
        return normality
    }

    private func png(_ value: (UInt16) -> Double) -> [UInt8] {
        let scaled = samples.map { UInt16((min(max(value($0), 0), 1) * 65535).rounded()) }
        return PNGBuilder.gray16(width: 24, samples: scaled)
    }

    private var raw: [UInt8] { PNGBuilder.gray16(width: 24, samples: samples) }

    @Test("A 12-bit image with bits=12 scores as the same image scaled to 16 bits")
    func bits() async throws {
        let scaled = try await normality(png { Double($0) / 4095 })
        #expect(abs(try await normality(raw, "bits=12") - scaled) < 1e-4)
        #expect(abs(try await normality(raw) - scaled) > 1e-2)
    }

    @Test("A window is applied as in DICOM, and MONOCHROME1 inverts after it")
    func window() async throws {
        // DICOM PS3.3, section C.11.2.1.2.1.
        func level(_ value: UInt16) -> Double {
            let (value, center, width) = (Double(value), 1000.0, 600.0)
            if value <= center - 0.5 - (width - 1) / 2 { return 0 }
            if value > center - 0.5 + (width - 1) / 2 { return 1 }
            return (value - (center - 0.5)) / (width - 1) + 0.5
        }
        let windowed = try await normality(png(level))
        let inverted = try await normality(png { 1 - level($0) })
        #expect(abs(try await normality(raw, "window_center=1000&window_width=600") - windowed) < 1e-3)
        let query = "window_center=1000&window_width=600&photometric=MONOCHROME1"
        #expect(abs(try await normality(raw, query) - inverted) < 1e-3 && abs(inverted - windowed) > 1e-2)
    }

    @Test("The narrowest window is a step")
    func narrowWindow() async throws {
        let step = try await normality(png { $0 > 999 ? 1 : 0 })
        #expect(abs(try await normality(raw, "window_center=1000&window_width=1") - step) < 1e-4)
    }

    @Test("The response repeats the rendering")
    func echo() async throws {
        let plain = try await score(raw)["rendering"]
        #expect(
            plain
                == .object([
                    "bits": .number(16), "window_center": .null, "window_width": .null,
                    "photometric": .string("MONOCHROME2"),
                ])
        )
        let full = try await score(raw, "bits=12&window_center=-5.5&window_width=600&photometric=monochrome1")
        #expect(
            full["rendering"]
                == .object([
                    "bits": .number(12), "window_center": .number(-5.5), "window_width": .number(600),
                    "photometric": .string("MONOCHROME1"),
                ])
        )
        let eight = PNG.encode(Image(height: 9, width: 9, channels: 1, filledWith: 0.5))
        #expect(try await score(eight)["rendering"] == .null)
        guard case .object(let inverted) = try await score(eight, "photometric=MONOCHROME1")["rendering"] else {
            Issue.record("an 8-bit image with a parameter lacks its rendering")
            return
        }
        #expect(inverted["bits"] == .number(8))
    }

    @Test("Samples that use a sixteenth of their range are mentioned, unless bits is set")
    func warning() async throws {
        func warnings(_ query: String) async throws -> JSONValue? {
            guard case .object(let image) = try await score(raw, query)["image"] else { return nil }
            return image["warnings"]
        }
        guard case .array(let found) = try await warnings(""), case .string(let text) = found.first else {
            Issue.record("there is no warning")
            return
        }
        #expect(text.contains("sixteenth"))
        #expect(try await warnings("bits=12") == .array([]))
    }

    @Test(
        "Invalid parameters are rejected",
        arguments: [
            ("bits=8", 400), ("bits=17", 400), ("bits=12.5", 400), ("bits=x", 400), ("bits=", 400), ("bits=nan", 400),
            ("bits=12&bits=12", 400), ("window_center=3", 400), ("window_width=3", 400),
            ("window_center=3&window_width=0.5", 400), ("window_center=inf&window_width=4", 400),
            ("photometric=RGB", 400), ("bits=11", 422),
        ]
    )
    func invalid(_ query: String, _ status: Int) async {
        for path in ["/v1/score", "/v1/dissolve", "/v1/heatmap"] {
            #expect(await respond(raw, query, path: path).status == status, "\(path)?\(query)")
        }
    }

    @Test("Unknown parameters are ignored with a warning, but not where pictures are requested")
    func unknown() async throws {
        guard case .object(let image) = try await score(raw, "bit=12")["image"],
            case .array(let warnings) = image["warnings"], case .string(let first) = warnings.first
        else {
            Issue.record("there is no warning")
            return
        }
        #expect(first.contains("unknown query parameters") && first.contains("'bits'"))
        #expect(await respond(raw, "bit=12", path: "/v1/dissolve").status == 400)
    }

    @Test("Parameters that do not apply to the image are rejected")
    func inapplicable() async {
        let gray = PNG.encode(Image(height: 9, width: 9, channels: 1, filledWith: 0.5))
        let color = PNG.encode(Image(height: 9, width: 9, channels: 3, filledWith: 0.5))
        for query in ["bits=12", "window_center=3&window_width=4"] {
            #expect(await respond(gray, query).status == 422)
            #expect(await respond(color, query).status == 422)
        }
        #expect(await respond(color, "photometric=MONOCHROME1").status == 422)
        #expect(await respond(gray, "photometric=MONOCHROME1").status == 200)
    }

    @Test("Extreme numbers are handled")
    func extreme() async throws {
        for query in ["window_center=1e300&window_width=1e300", "window_center=-1e308&window_width=1.5"] {
            #expect(try await normality(raw, query).isFinite, "\(query)")
        }
    }
}
