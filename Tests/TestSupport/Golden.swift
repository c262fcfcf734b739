import Foundation
public import ModelFile

/// The numbers of the reference implementation, one file for each step of the method.
public enum Golden {
    /// The file called `name`.safetensors.
    public static func load(_ name: String) throws -> Safetensors {
        guard let url = Bundle.module.url(forResource: name, withExtension: "safetensors", subdirectory: "Golden")
        else {
            throw CocoaError(.fileNoSuchFile)
        }
        return try Safetensors(parsing: Array(Data(contentsOf: url)), file: "\(name).safetensors")
    }
}
