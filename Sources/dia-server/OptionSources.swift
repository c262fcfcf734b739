import ArgumentParser
import Foundation
import InferenceService

/// Brings options from a configuration file and from the environment into the form of the command line.
enum OptionSources {
    /// The options that may come from elsewhere.
    private static let names = [
        "models", "host", "port", "default-model", "threads", "queue", "batch", "max-body-bytes", "max-pixels",
        "max-connections", "drain-seconds",
    ]

    /// The arguments of the file, then those of the environment, then `given`: of an option that stands more
    /// than once the last counts.
    static func arguments(_ given: [String], environment: [String: String]) throws -> [String] {
        let fromEnvironment = names.flatMap { name -> [String] in
            let variable = "DIA_" + name.uppercased().replacing("-", with: "_")
            return environment[variable].map { ["--\(name)=\($0)"] } ?? []
        }
        let file = value(of: "config", in: given) ?? environment["DIA_CONFIG"]
        return try (file.map(arguments(ofFile:)) ?? []) + fromEnvironment + given
    }

    private static func value(of name: String, in arguments: [String]) -> String? {
        for (index, argument) in arguments.enumerated().reversed() {
            if argument == "--\(name)" { return index + 1 < arguments.count ? arguments[index + 1] : nil }
            if argument.hasPrefix("--\(name)=") { return String(argument.dropFirst(name.count + 3)) }
        }
        return nil
    }

    private static func arguments(ofFile path: String) throws -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("--config \(path): the file cannot be read")
        }
        guard let options = ConfigurationFile.options(in: data) else {
            throw ValidationError("--config \(path): one JSON object with texts and numbers is expected")
        }
        if let unknown = options.keys.sorted().first(where: { !names.contains($0) }) {
            throw ValidationError("--config \(path): unknown option '\(unknown)'")
        }
        return options.sorted { $0.key < $1.key }.map { "--\($0.key)=\($0.value)" }
    }
}
