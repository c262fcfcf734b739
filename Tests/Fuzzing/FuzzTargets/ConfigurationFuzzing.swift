import Foundation
import Console
import InferenceService

extension FuzzTarget {
    /// The server's configuration file: its options can be encoded and read again.
    static func runConfiguration(_ bytes: [UInt8]) {
        guard let options = ConfigurationFile.options(in: Data(bytes)) else { return }
        require(ConfigurationFile.options(in: json(options)) == options, "options are the same when read again")
    }
}
