import DIA
import Foundation
public import Imaging
import ModelFile
public import Neural

/// Calibrates a finished model with normal images of a site.
///
/// Scanners, exposures and patients of a site differ from those of the training images, so the promised
/// false-positive rate holds only for a calibration with images of the site. The calibration and the input statistics
/// are replaced; the networks and the bank stay the same.
public struct SiteCalibration {
    private let folder: String
    private let out: String
    private let isInterrupted: @Sendable () -> Bool
    private let workers: ThreadPool
    private let model: Model

    /// The new calibration.
    public struct Outcome: Sendable {
        /// The new version of the model.
        public let version: String
        /// The number of calibration images.
        public let images: Int
        /// The target false-positive rate.
        public let alpha: Double
        /// The false-positive rate to expect.
        public let rate: CalibratedRate
        /// Whether there were enough images for input statistics.
        public let hasInputCheck: Bool

        /// A summary for the terminal.
        public var text: String {
            func percent(_ share: Double) -> String { String(format: "%.1f%%", 100 * share) }
            let note =
                hasInputCheck
                ? ""
                : "\nfewer than \(InputCheck.minimumImages) images: the model does not check whether an image is typical"
            return "version \(version): \(images) calibration images\nexpected false-positive rate "
                + "\(percent(rate.mean)) (95% interval \(percent(rate.interval.lowerBound)) to "
                + "\(percent(rate.interval.upperBound)); alpha \(percent(alpha)))\(note)"
        }
    }

    /// Loads the model in `folder`; the calibrated model will be written to `out`, another folder.
    public init(
        model folder: String,
        out: String,
        workers: ThreadPool,
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) throws {
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        guard resolved(folder) != resolved(out) else {
            throw DataError(out, "is the folder of the model itself; choose another one")
        }
        let contents = try? FileManager.default.contentsOfDirectory(atPath: out)
        guard contents?.isEmpty ?? !FileManager.default.fileExists(atPath: out) else {
            throw DataError(
                out,
                "exists and is not empty; choose another folder, so that no model in use is overwritten"
            )
        }
        self.folder = folder
        self.out = out
        self.workers = workers
        self.isInterrupted = isInterrupted
        model = try Model(ModelDirectory(path: folder), workers: workers)
    }

    /// The size and the channels to which images must be converted.
    public var size: ImageSize {
        let input = model.information.manifest.input
        return ImageSize(channels: input.channels, height: input.height, width: input.width)
    }

    /// Scores `images`, normal images of the size ``size``, and writes the calibrated model.
    public func run(_ images: [Image]) throws -> Outcome {
        var manifest = model.information.manifest
        let alpha = manifest.calibration?.alpha ?? Recipe.Score.defaultAlpha
        guard !images.isEmpty else { throw DataError("--normals", "has no image that can be read") }
        let normality = try score(images).map { Float($0) }.sorted()
        guard normality.allSatisfy(\.isFinite) else {
            throw DataError("--normals", "has images whose normality is not finite")
        }
        let calibration = Calibration(normality: normality.map { Double($0) }, alpha: alpha)
        guard let rate = CalibratedRate(calibration) else {
            throw DataError(
                "--normals",
                "has \(images.count) images; a false-positive rate of \(alpha) needs at least "
                    + "\(Int(min(1 / alpha, 1e9).rounded(.up)) - 1)"
            )
        }
        let inputCheck = InputCheck(fitting: images)
        // The folder gets its name when it is complete, so that no server loads a part of it.
        let partial = "\(out).partial"
        try? FileManager.default.removeItem(atPath: partial)
        var writer = try ModelWriter(folder: partial)
        for file in [manifest.dissolve.file, manifest.encoder.file, manifest.score.file] { try copy(file, to: partial) }
        try writer.write(
            [NamedTensor(name: "normality", shape: [normality.count], values: normality)] + (inputCheck?.tensors ?? []),
            to: ModelFiles.calibration,
            as: .float32
        )
        let digest = writer.digests[ModelFiles.calibration] ?? ""
        manifest.calibration = ModelManifest.Calibration(file: ModelFiles.calibration, sha256: digest, alpha: alpha)
        let version = manifest.version.components(separatedBy: "+site.")[0]
        manifest.version = "\(version)+site.\(digest.prefix(8))"
        manifest.created = Date().formatted(.iso8601)
        if case .object(var evaluation)? = manifest.evaluation {
            // The figures hold for the threshold of the old calibration.
            evaluation["measured_before_calibration"] = .bool(true)
            manifest.evaluation = .object(evaluation)
        }
        if case .object(var training)? = manifest.training {
            training["site_calibration_images"] = .number(Double(images.count))
            manifest.training = .object(training)
        }
        manifest.golden = nil
        try writer.write(manifest)
        let calibrated = try Model(ModelDirectory(path: partial), workers: workers)
        let golden = GoldenSet.synthetic(for: calibrated, seed: manifest.score.seed)
        try writer.write(golden.tensors, to: ModelFiles.golden, as: .float32)
        manifest.golden = ModelManifest.Golden(file: ModelFiles.golden, sha256: writer.digests[ModelFiles.golden] ?? "")
        try writer.write(manifest)
        try? FileManager.default.removeItem(atPath: out)
        try FileManager.default.moveItem(atPath: partial, toPath: out)
        return Outcome(
            version: manifest.version,
            images: images.count,
            alpha: alpha,
            rate: rate,
            hasInputCheck: inputCheck != nil
        )
    }

    private func score(_ images: [Image]) throws -> [Double] {
        try mapBatches(
            images,
            size: model.information.preferredBatchSize,
            title: "calibration",
            phase: .inspection,
            isInterrupted: isInterrupted
        ) { model.score($0).map(\.normality) }
    }

    private func copy(_ file: String, to target: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)"))
        try data.write(to: URL(fileURLWithPath: "\(target)/\(file)"), options: .atomic)
    }
}

extension GoldenSet {
    /// A golden set of synthetic images, which are not from any patient.
    static func synthetic(for model: Model, seed: UInt64) -> GoldenSet {
        let input = model.information.manifest.input
        var generator = SplitMix64(seed: seed, stream: RandomStream.golden)
        let phantom = Phantom(side: max(input.height, input.width))
        let images = (0..<4).map { phantom.image(withLesion: $0 % 2 == 1, using: &generator) }
        return GoldenSet(images.map(model.information.prepare), of: model)
    }
}
