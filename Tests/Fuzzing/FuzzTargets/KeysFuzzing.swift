import InferenceService

extension FuzzTarget {
    /// Files of API keys: those that are accepted can be written and read again.
    static func runKeys(_ bytes: [UInt8]) {
        guard let keys = try? APIKeys(parsing: String(decoding: bytes, as: UTF8.self)).keys else { return }
        require(!keys.isEmpty && keys.allSatisfy { !$0.scopes.isEmpty }, "there are keys, good for something")
        require(Set(keys.map(\.name)).count == keys.count, "each key has a name of its own")
        let lines = keys.map(\.line).joined(separator: "\n")
        let again = must("written keys are read again") { () throws(APIKeys.FileError) in try APIKeys(parsing: lines) }
        require(again.keys == keys, "keys are the same when read again")
    }
}
