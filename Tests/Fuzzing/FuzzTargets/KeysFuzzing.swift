import InferenceService

extension FuzzTarget {
    /// API key files: an accepted file can be written and read again.
    static func runKeys(_ bytes: [UInt8]) {
        guard let keys = try? APIKeys(parsing: String(decoding: bytes, as: UTF8.self)).keys else { return }
        require(!keys.isEmpty && keys.allSatisfy { !$0.scopes.isEmpty }, "there are keys, each with a scope")
        require(Set(keys.map(\.name)).count == keys.count, "key names are unique")
        let lines = keys.map(\.line).joined(separator: "\n")
        let again = must("written keys can be read") { () throws(APIKeys.FileError) in try APIKeys(parsing: lines) }
        require(again.keys == keys, "keys are the same when read again")
    }
}
