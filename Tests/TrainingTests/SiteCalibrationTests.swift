import DIA
import Foundation
import Imaging
import ModelFile
import Neural
import TestSupport
import Testing
import Training

/// Calibration of a finished model with images of a site.
@Suite struct SiteCalibrationTests {
    private let workers = ThreadPool(count: 2)

    /// Dim phantoms with noise, as from another scanner.
    private static func images(_ count: Int, seed: UInt64, size: ImageSize) -> [Image] {
        var generator = SeededGenerator(seed)
        let phantom = Phantom(side: size.height)
        return (0..<count).map { _ in
            var image = phantom.image(withLesion: false, using: &generator).converted(toChannels: size.channels)
            for index in image.samples.indices {
                image.samples[index] = min(
                    1,
                    max(0, 0.8 * image.samples[index] + Float.random(in: 0...0.1, using: &generator))
                )
            }
            return image
        }
    }

    private func withSite(
        _ count: Int,
        _ body: (SiteCalibration.Outcome, URL) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("site-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let out = folder.appendingPathComponent("m")
        let site = try SiteCalibration(model: ReferenceModels.folder("gray-pad").path, out: out.path, workers: workers)
        try body(site.run(Self.images(count, seed: 1, size: site.size)), out)
    }

    @Test("Only the calibration and the input statistics change, and the version says so")
    func replaced() throws {
        try withSite(220) { outcome, out in
            let old = try ModelDirectory(path: ReferenceModels.folder("gray-pad").path).manifest
            let new = try ModelDirectory(path: out.path).manifest
            let digest = try #require(new.calibration).sha256.prefix(8)
            #expect(new.version == "\(old.version)+site.\(digest)" && outcome.version == new.version)
            #expect(new.dissolve == old.dissolve && new.encoder == old.encoder && new.score == old.score)
            let model = try Model(ModelDirectory(path: out.path), workers: workers)
            #expect(model.information.calibration?.normality.count == 220)
            #expect(model.information.inputCheck != nil && outcome.hasInputCheck)
            #expect(model.verify()?.passed == true)
        }
    }

    @Test("A second site calibration replaces the mark in the version")
    func twice() throws {
        try withSite(40) { outcome, out in
            let second = out.deletingLastPathComponent().appendingPathComponent("second")
            let site = try SiteCalibration(model: out.path, out: second.path, workers: workers)
            let again = try site.run(Self.images(60, seed: 2, size: site.size))
            #expect(again.version != outcome.version && again.version.components(separatedBy: "+site.").count == 2)
            #expect(!again.hasInputCheck && again.text.contains("fewer than 200 images"))
        }
    }

    @Test("Too few images, or writing over the model itself, is an error")
    func errors() throws {
        let folder = ReferenceModels.folder("gray-pad").path
        #expect(throws: DataError.self) { try SiteCalibration(model: folder, out: folder + "/", workers: workers) }
        let error = #expect(throws: DataError.self) { try withSite(18) { _, _ in } }
        #expect(error?.description.contains("needs at least 19") == true)
    }

    @Test("The expected false-positive rate is the mean and the interval of a beta distribution")
    func rate() throws {
        // The quantiles of Beta(5, 113), computed with exact binomial coefficients in Python.
        let rate = try #require(CalibratedRate(Calibration(normality: (0..<117).map(Double.init), alpha: 0.05)))
        #expect(abs(rate.mean - 5.0 / 118) < 1e-12)
        #expect(abs(rate.interval.lowerBound - 0.014019) < 1e-5 && abs(rate.interval.upperBound - 0.085224) < 1e-5)
        #expect(CalibratedRate(Calibration(normality: [1, 2, 3], alpha: 0.05)) == nil)
    }

    @Test("The rate over many calibrations is the promised one")
    func coverage() throws {
        var generator = SeededGenerator(5)
        var total = 0.0
        for _ in 0..<400 {
            let values = (0..<99).map { _ in Double.random(in: 0...1, using: &generator) }
            // Values are uniform, so the threshold is the false-positive rate.
            total += try #require(Calibration(normality: values, alpha: 0.05).threshold)
        }
        #expect(abs(total / 400 - 0.05) < 0.005)
    }
}
