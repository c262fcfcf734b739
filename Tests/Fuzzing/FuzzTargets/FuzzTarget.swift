/// A part of the project that parses untrusted bytes, with rules that must hold for any input.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case request, chunked
    case requestTarget = "request-target"
    case parameters, multipart, ndjson, inference, png, jpeg, safetensors, manifest, recipe, npz, configuration, keys,
        gzip, zip, tar, json, base64, results, answer

    /// Feeds `bytes` to the part; a violated rule ends the process.
    package func run(_ bytes: [UInt8]) {
        switch self {
        case .request: Self.runRequest(bytes)
        case .chunked: Self.runChunked(bytes)
        case .requestTarget: Self.runRequestTarget(bytes)
        case .parameters: Self.runParameters(bytes)
        case .multipart: Self.runMultipart(bytes)
        case .ndjson: Self.runLines(bytes)
        case .inference: Self.runInference(bytes)
        case .png: Self.runPNG(bytes)
        case .jpeg: Self.runJPEG(bytes)
        case .safetensors: Self.runSafetensors(bytes)
        case .manifest: Self.runManifest(bytes)
        case .recipe: Self.runRecipe(bytes)
        case .npz: Self.runArchive(bytes)
        case .configuration: Self.runConfiguration(bytes)
        case .keys: Self.runKeys(bytes)
        case .gzip: Self.runGzip(bytes)
        case .zip: Self.runZip(bytes)
        case .tar: Self.runTar(bytes)
        case .json: Self.runJSON(bytes)
        case .base64: Self.runBase64(bytes)
        case .results: Self.runResults(bytes)
        case .answer: Self.runAnswer(bytes)
        }
    }
}

/// Ends the process unless `holds`; unlike a precondition, it names the violated rule in release builds too.
func require(_ holds: Bool, _ rule: @autoclosure () -> String) {
    guard holds else { fatalError("broken: \(rule())") }
}

/// Returns the result of `work`; an error violates `rule`.
func must<Result, Failure: Error>(_ rule: String, _ work: () throws(Failure) -> Result) -> Result {
    do {
        return try work()
    } catch {
        fatalError("broken: \(rule): \(error)")
    }
}
