import DIA
import Imaging
public import ModelFile
import Synchronization
import Neural

/// Error of a reload that changed nothing.
public struct ReloadError: Error, CustomStringConvertible {
    /// Description of the error.
    public let description: String
}

/// Store of the engine's models and their directories.
///
/// `@unchecked Sendable`: the models are accessed only on the engine's queue; their information is protected by a
/// lock.
public final class ModelStore: @unchecked Sendable {
    /// Result of loading.
    public struct Outcome: Sendable {
        /// Names of the loaded models.
        public var loaded: [String] = []
        /// Models that were skipped.
        public var failures: [ModelLoadError] = []
    }

    private let open: @Sendable () throws -> ModelListing
    private let skipsBroken: Bool
    private let required: String?
    private let workers: ThreadPool
    private var byName: [String: Model] = [:]
    /// The directory of each model, by name.
    private var paths: [String: String] = [:]
    private let informationByName = Mutex<[String: Model.Information]>([:])

    /// Creates a store for the directories that `open` returns; no model is loaded yet.
    init(
        threads: Int,
        skipsBroken: Bool,
        required: String?,
        open: @escaping @Sendable () throws -> ModelListing
    ) {
        self.open = open
        self.required = required
        self.skipsBroken = skipsBroken
        workers = ThreadPool(count: threads)
    }

    /// Information on each model, by name; can be read on any thread.
    var information: [String: Model.Information] { informationByName.withLock { $0 } }

    /// Returns the model named `name` if it still has the digest `digest`.
    func model(_ name: String, digest: String) -> Model? {
        byName[name].flatMap { $0.information.digest == digest ? $0 : nil }
    }

    /// Loads the models whose directories have changed, or in any case the model named `requested`.
    ///
    /// Each model is checked before any replaces an old one. The files of unchanged models must still match the
    /// digests in their manifests. If a model cannot be loaded or fails its check, this throws and changes nothing.
    /// If broken models are skipped, the old version of a broken model stays in use, and this throws only if no model
    /// is left.
    func load(_ requested: String? = nil) throws -> Outcome {
        let listing = try open()
        var outcome = Outcome()
        // A reload of one model leaves the others unchanged.
        var (next, nextPaths) = requested == nil ? ([:], [:]) : (byName, paths)
        func skip(_ error: ModelLoadError, keeping name: String?) throws {
            guard skipsBroken, requested == nil else { throw error }
            outcome.failures.append(error)
            if let name, let old = byName[name] { (next[name], nextPaths[name]) = (old, error.path) }
        }
        if requested == nil {
            for failure in listing.failures {
                try skip(failure, keeping: paths.first { $0.value == failure.path }?.key)
            }
        }
        let directories = listing.directories.filter { requested == nil || $0.manifest.name == requested }
        if let requested, directories.isEmpty {
            let failure = listing.failures.first { $0.path == paths[requested] }
            throw failure ?? ReloadError(description: "the directory of the model '\(requested)' no longer exists")
        }
        for directory in directories {
            let name = directory.manifest.name
            do throws(ModelFileError) {
                if requested == nil, let model = byName[name], model.information.digest == directory.digest {
                    try directory.verifyFiles()
                    (next[name], nextPaths[name]) = (model, directory.path)
                    continue
                }
                let model = try Model(directory, workers: workers)
                try Self.check(model, directory.manifest)
                (next[name], nextPaths[name]) = (model, directory.path)
                outcome.loaded.append(name)
            } catch {
                try skip(ModelLoadError(path: directory.path, reason: error), keeping: name)
            }
        }
        if next.isEmpty, let failure = outcome.failures.first { throw failure }
        if let required, next[required] == nil {
            let causes = outcome.failures.map { "; \($0)" }.joined()
            throw ReloadError(
                description:
                    "the default model '\(required)' is not among \(next.keys.sorted().joined(separator: ", "))\(causes)"
            )
        }
        (byName, paths) = (next, nextPaths)
        informationByName.withLock { $0 = next.mapValues(\.information) }
        return outcome
    }

    /// Runs the golden set and a black image through `model`, so that no request is the first.
    private static func check(_ model: Model, _ manifest: ModelManifest) throws(ModelFileError) {
        if let golden = manifest.golden, let outcome = model.verify(), !outcome.passed {
            throw ModelFileError(
                file: golden.file,
                reason: "the model '\(manifest.name)' does not reproduce its golden set (normality is off by "
                    + "\(outcome.normalityDifference) tolerances, dissolving by \(outcome.dissolvedDifference))"
            )
        }
        let input = manifest.input
        let black = Image(height: input.height, width: input.width, channels: input.channels)
        let result = model.score([black])[0]
        let dissolved = model.dissolve([black], at: [manifest.dissolve.defaultT])[0]
        guard result.normality.isFinite, dissolved.samples.allSatisfy(\.isFinite) else {
            throw ModelFileError(
                file: ModelManifest.fileName,
                reason: "the weights of '\(manifest.name)' produce numbers that are not finite"
            )
        }
    }
}
