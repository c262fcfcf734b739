import DIA
import Imaging
public import ModelFile
import Synchronization
import Neural

/// Why a reload changed nothing.
public struct ReloadError: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String
}

/// The engine's models, and where they come from.
///
/// `@unchecked Sendable`: the models are touched on the engine's queue alone; what is known of them is in a lock.
public final class ModelStore: @unchecked Sendable {
    /// What loading did.
    public struct Outcome: Sendable {
        /// The names of the models that were loaded.
        public var loaded: [String] = []
        /// What was left out.
        public var failures: [ModelLoadError] = []
    }

    private let open: @Sendable () throws -> ModelListing
    private let skipsBroken: Bool
    private let required: String?
    private let workers: ThreadPool
    private var byName: [String: Model] = [:]
    /// The directory of each model, by name.
    private var paths: [String: String] = [:]
    private let known = Mutex<[String: Model.Information]>([:])

    /// Models of the directories that `open` gives, none loaded yet.
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

    /// What is known of each model, by name; on any thread.
    var information: [String: Model.Information] { known.withLock { $0 } }

    /// The model called `name`, if it is still the one that `digest` names.
    func model(_ name: String, digest: String) -> Model? {
        byName[name].flatMap { $0.information.digest == digest ? $0 : nil }
    }

    /// Loads the models whose directories have changed, or the one called `wanted` in any case, and checks each before
    /// any takes the place of an old one. The files of the others must still have the digests that their manifests name.
    ///
    /// Throws, and changes nothing, if one cannot be loaded or fails its check. Where broken models are skipped, one
    /// that was loaded before goes on serving, and the error is that no model is left.
    func load(_ wanted: String? = nil) throws -> Outcome {
        let listing = try open()
        var outcome = Outcome()
        // A reload of one model leaves the others as they are.
        var (next, nextPaths) = wanted == nil ? ([:], [:]) : (byName, paths)
        func skip(_ error: ModelLoadError, keeping name: String?) throws {
            guard skipsBroken, wanted == nil else { throw error }
            outcome.failures.append(error)
            if let name, let old = byName[name] { (next[name], nextPaths[name]) = (old, error.path) }
        }
        if wanted == nil {
            for failure in listing.failures {
                try skip(failure, keeping: paths.first { $0.value == failure.path }?.key)
            }
        }
        let directories = listing.directories.filter { wanted == nil || $0.manifest.name == wanted }
        if let wanted, directories.isEmpty {
            let failure = listing.failures.first { $0.path == paths[wanted] }
            throw failure ?? ReloadError(description: "there is no directory of the model '\(wanted)' any more")
        }
        for directory in directories {
            let name = directory.manifest.name
            do throws(ModelFileError) {
                if wanted == nil, let model = byName[name], model.information.digest == directory.digest {
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
        known.withLock { $0 = next.mapValues(\.information) }
        return outcome
    }

    /// Runs first images through `model`, so that no request is the first: its golden set, and a black image.
    private static func check(_ model: Model, _ manifest: ModelManifest) throws(ModelFileError) {
        if let golden = manifest.golden, let outcome = model.verify(), !outcome.isSound {
            throw ModelFileError(
                file: golden.file,
                reason: "the model '\(manifest.name)' does not give the numbers of its golden set (normality is off by "
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
                reason: "the weights of '\(manifest.name)' give numbers that are not finite"
            )
        }
    }
}
