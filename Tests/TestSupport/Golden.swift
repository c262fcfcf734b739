import Foundation
public import ModelFile

/// Results of the reference implementation, one file per step of the method.
public enum Golden {
    /// The file named `name`.safetensors.
    public static func load(_ name: String) throws -> Safetensors {
        guard let url = Bundle.module.url(forResource: name, withExtension: "safetensors", subdirectory: "Golden")
        else {
            throw CocoaError(.fileNoSuchFile)
        }
        return try Safetensors(parsing: Array(Data(contentsOf: url)), file: "\(name).safetensors")
    }
}
