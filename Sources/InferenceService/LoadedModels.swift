import DIA
import Imaging
import Kernels
import ModelFile
import Synchronization

/// Why a reload changed nothing.
public struct ReloadError: Error, CustomStringConvertible {
    /// What is wrong.
    public let description: String
}

/// The engine's models, and where they come from.
///
/// `@unchecked Sendable`: the models are touched on the engine's queue alone; what is known of them is in a lock.
final class LoadedModels: @unchecked Sendable {
    private let open: @Sendable () throws -> [ModelDirectory]
    private let workers: Workers
    private var byName: [String: Model] = [:]
    private let known = Mutex<[String: Model.Information]>([:])

    /// Models of the directories that `open` gives, none loaded yet.
    init(threads: Int, open: @escaping @Sendable () throws -> [ModelDirectory]) {
        self.open = open
        workers = Workers(count: threads)
    }

    /// What is known of each model, by name; on any thread.
    var information: [String: Model.Information] { known.withLock { $0 } }

    /// The model called `name`, if it is still the one that `digest` names.
    func model(_ name: String, digest: String) -> Model? {
        byName[name].flatMap { $0.information.digest == digest ? $0 : nil }
    }

    /// Loads the models whose directories have changed, or the one called `wanted` in any case, and checks each before
    /// any takes the place of an old one; returns the names of the loaded ones.
    ///
    /// Throws, and changes nothing, if one cannot be loaded or fails its check.
    func load(_ wanted: String? = nil) throws -> [String] {
        let directories = try open().filter { wanted == nil || $0.manifest.name == wanted }
        if let wanted, directories.isEmpty {
            throw ReloadError(description: "there is no directory of the model '\(wanted)' any more")
        }
        // A reload of one model leaves the others as they are.
        var next = wanted == nil ? [:] : byName
        var loaded: [String] = []
        for directory in directories {
            let name = directory.manifest.name
            if wanted == nil, let model = byName[name], model.information.digest == directory.digest {
                next[name] = model
                continue
            }
            let model = try Model(directory, workers: workers)
            try Self.check(model, directory.manifest)
            next[name] = model
            loaded.append(name)
        }
        byName = next
        known.withLock { $0 = next.mapValues(\.information) }
        return loaded
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
