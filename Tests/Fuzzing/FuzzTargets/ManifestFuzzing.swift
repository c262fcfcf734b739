import Foundation
import ModelFile

extension FuzzTarget {
    /// model.json: an error names the file, and a manifest can be written and read again.
    static func runManifest(_ bytes: [UInt8]) {
        do throws(ModelFileError) {
            let written = json(try ModelManifest(parsing: bytes))
            let again = must("a written manifest can be read again") { try ModelManifest(parsing: Array(written)) }
            require(json(again) == written, "a manifest is the same when read again")
        } catch {
            require(
                error.description.hasPrefix("model.json: ") && error.reason.count > 3,
                "an error describes the problem"
            )
        }
    }

    static func json(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return must("a parsed value can be encoded") { try encoder.encode(value) }
    }
}
