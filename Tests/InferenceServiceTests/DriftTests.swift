import Codecs
import Engine
import Foundation
import HTTP
import Imaging
import InferenceService
import Logging
import Metrics
import ModelFile
import TestSupport
import Testing

/// The comparison of the latest images with the calibration images.
@Suite struct DriftTests {
    /// Values with a normal distribution around `mean` (Box-Muller transform).
    private func values(_ count: Int, mean: Double = 0, seed: UInt64) -> [Double] {
        var generator = SeededGenerator(seed)
        return (0..<count).map { _ in
            let (radius, angle) = (
                Double.random(in: 1e-12..<1, using: &generator), Double.random(in: 0..<1, using: &generator)
            )
            return mean + (-2 * log(radius)).squareRoot() * cos(2 * .pi * angle)
        }
    }

    @Test("A hundred thousand images like the calibration images are never reported", arguments: [20, 60, 200, 1000])
    func normalImages(calibrationImages: Int) {
        for seed: UInt64 in 1...5 {
            var window = DriftWindow(calibration: values(calibrationImages, seed: seed))
            for value in values(20_000, seed: 100 + seed) {
                window.add(value)
                guard window.statistic <= window.threshold else {
                    Issue.record("drift of \(window.statistic) with \(window.images) images")
                    return
                }
            }
            #expect(window.statistic > 0)
        }
    }

    @Test("Shifted images are reported within one window, and no longer once they have left it")
    func shiftedImages() {
        var window = DriftWindow(calibration: values(200, seed: 1))
        let length = DriftWindow.blocks * DriftWindow.blockImages
        for value in values(length, seed: 2) { window.add(value) }
        #expect(window.images == length && window.statistic < window.threshold)
        for value in values(length, mean: -1.2, seed: 3) { window.add(value) }
        #expect(window.statistic > window.threshold)
        for value in values(length, seed: 4) { window.add(value) }
        #expect(window.statistic < window.threshold)
        #expect(window.images <= length && window.images > length - DriftWindow.blockImages)
    }

    @Test("The statistic is that of Kolmogorov and Smirnov at the calibration values")
    func statistic() {
        let calibration = values(60, seed: 5)
        let others = values(300, mean: 0.4, seed: 6)
        var window = DriftWindow(calibration: calibration)
        for value in others { window.add(value) }
        func share(_ values: [Double], _ limit: Double) -> Double {
            Double(values.count { $0 <= limit }) / Double(values.count)
        }
        let atCalibration = calibration.map { abs(share(calibration, $0) - share(others, $0)) }.max() ?? 0
        let exact = (calibration + others).map { abs(share(calibration, $0) - share(others, $0)) }.max() ?? 0
        #expect(abs(window.statistic - atCalibration) < 1e-12)
        #expect(window.statistic <= exact && window.statistic > exact - 1.0 / 60)
    }

    @Test("The threshold is the sum of the deviations of both samples, and at most 1")
    func threshold() {
        var window = DriftWindow(calibration: values(100, seed: 7))
        #expect(window.images == 0 && window.statistic == 0 && window.threshold == 1)
        for value in values(400, seed: 8) { window.add(value) }
        // sqrt(ln(2 / 0.001) / 200) + sqrt(ln(2 / 0.000001) / 800)
        #expect(abs(window.threshold - (0.19494746 + 0.13466931)) < 1e-6)
    }

    @Test("Values that are not finite, and calibrations with equal values, are no problem")
    func degenerate() {
        var window = DriftWindow(calibration: [1, 1, 1])
        for value in [Double.nan, .infinity, -.infinity, 1, 1, 0, .greatestFiniteMagnitude] { window.add(value) }
        #expect(window.images == 4 && window.statistic == 0.25)
    }

    @Test("Scores of images unlike the calibration images are reported in the metadata and in the metrics")
    func service() async throws {
        try await withTemporaryFolder { folder in
            func png(_ seed: Int, scale: Float) -> [UInt8] {
                var generator = SeededGenerator(UInt64(seed))
                let samples = (0..<784).map { _ in scale * Float.random(in: 0..<1, using: &generator) }
                return PNG.encode(Image(height: 28, width: 28, channels: 1, samples: samples))
            }
            let plain = try service(ReferenceModels.folder("gray-pad"))
            var normality: [Float] = []
            for seed in 0..<60 { normality.append(Float(try await score(png(seed, scale: 1), plain))) }
            #expect(try await drift(plain) == .null)

            let place = folder.appendingPathComponent("m")
            try ReferenceModels.calibrated("gray-pad", in: place, normality: normality.sorted(), alpha: 0.1)
            let service = try service(place)
            for seed in 100..<200 { _ = try await score(png(seed, scale: 1), service) }
            #expect(try await member("detected", of: drift(service)) == .bool(false))
            #expect(try await member("images", of: drift(service)) == .number(100))
            // More dark images than others.
            for seed in 0..<200 { _ = try await score(png(seed, scale: 0.05), service) }
            #expect(try await member("detected", of: drift(service)) == .bool(true))
            let metrics = try await text("/metrics", service)
            for (name, value) in [("statistic", "statistic"), ("threshold", "threshold"), ("window_images", "images")] {
                let line = try #require(
                    metrics.split(separator: "\n").first {
                        $0.hasPrefix("dia_drift_\(name){") && $0.contains("model=\"gray-pad\"")
                            && $0.contains("of=\"score\"")
                    }
                )
                let number = try #require(line.split(separator: " ").last.flatMap { Double($0) })
                #expect(try await member(value, of: drift(service)) == .number(number))
            }
        }
    }

    private func service(_ model: URL) throws -> DocumentedService {
        let (metrics, directory) = (MetricsRegistry(), try ModelDirectory(path: model.path))
        let engine = try Engine.loaded(Engine.Configuration(), metrics: metrics) { [directory] }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return DocumentedService(engine, InferenceService.Configuration(), metrics: metrics, logger: logger)
    }

    private func score(_ png: [UInt8], _ service: DocumentedService) async throws -> Double {
        let headers: HeaderFields = ["Host": "a", "Content-Type": "image/png", "Content-Length": "\(png.count)"]
        let request = Request(head: RequestHead(method: "POST", path: "/v1/score", headers: headers), body: png)
        let object = try JSONDecoder().decode(JSONValue.self, from: Data(await service.respond(to: request).body))
        guard case .object(let members) = object, case .number(let value)? = members["normality"] else {
            throw CocoaError(.coderInvalidValue)
        }
        return value
    }

    private func text(_ path: String, _ service: DocumentedService) async throws -> String {
        let request = Request(head: RequestHead(method: "GET", path: path, headers: ["Host": "a"]))
        return String(decoding: await service.respond(to: request).body, as: UTF8.self)
    }

    /// The member `drift` of the model's metadata.
    private func drift(_ service: DocumentedService) async throws -> JSONValue? {
        let text = try await text("/v1/models/gray-pad", service)
        let object = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        guard case .object(let members) = object else { return nil }
        return members["drift"]
    }

    private func member(_ name: String, of drift: JSONValue?) -> JSONValue? {
        guard case .object(let quantities)? = drift, case .object(let score)? = quantities["score"] else { return nil }
        return score[name]
    }
}
