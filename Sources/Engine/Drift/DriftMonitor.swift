public import DIA
import Synchronization

/// What is compared with the calibration images.
public enum DriftQuantity: String, CaseIterable, Sendable {
    /// The normality.
    case score
    /// The distance of a thumbnail of the image from those of the calibration images.
    case structure
    /// The distance of gray levels and differences of neighbors from those of the calibration images.
    case texture
}

/// How the latest images of a model differ from its calibration images in one quantity.
public struct Drift: Sendable {
    /// Number of images that were compared.
    public let images: Int
    /// The Kolmogorov-Smirnov statistic, from 0 to 1.
    public let statistic: Double
    /// The value that the statistic exceeds only if the images differ from the calibration images.
    public let threshold: Double

    /// Whether the images differ.
    public var isDetected: Bool { statistic > threshold }
}

/// Compares the latest images of each model with its calibration images.
///
/// The counts of a model start again when the model is replaced.
public final class DriftMonitor: Sendable {
    private typealias Windows = [DriftQuantity: DriftWindow]

    /// The windows of each model, by digest.
    private let windows = Mutex<[String: Windows]>([:])

    init() {}

    /// Adds an image that `model` scored; `check` is the result of its input check, if it has one.
    public func add(normality: Double, check: InputCheck.Result?, to model: Model.Information) {
        guard let calibration = model.calibration else { return }
        let isKnown = windows.withLock { $0[model.digest] != nil }
        // Sorting the calibration values can take a moment, so it is done outside of the lock.
        let new = isKnown ? nil : Self.windows(calibration, model.inputCheck)
        windows.withLock { windows in
            if let new, windows[model.digest] == nil { windows[model.digest] = new }
            windows[model.digest]?[.score]?.add(normality)
            guard let check else { return }
            windows[model.digest]?[.structure]?.add(check.structure)
            windows[model.digest]?[.texture]?.add(check.texture)
        }
    }

    /// Returns the comparisons for `model`; empty if it has no calibration.
    public func drift(of model: Model.Information) -> [DriftQuantity: Drift] {
        guard let calibration = model.calibration else { return [:] }
        let windows = windows.withLock { $0[model.digest] } ?? Self.windows(calibration, model.inputCheck)
        return windows.mapValues {
            Drift(images: $0.images, statistic: $0.statistic, threshold: $0.threshold)
        }
    }

    /// Removes the counts of models that are no longer loaded.
    func remove(exceptDigests digests: Set<String>) {
        windows.withLock { $0 = $0.filter { digests.contains($0.key) } }
    }

    private static func windows(_ calibration: Calibration, _ check: InputCheck?) -> Windows {
        var windows: Windows = [.score: DriftWindow(calibration: calibration.normality)]
        if let check {
            windows[.structure] = DriftWindow(calibration: check.structureDistances)
            windows[.texture] = DriftWindow(calibration: check.textureDistances)
        }
        return windows
    }
}
