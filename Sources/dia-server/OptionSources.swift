import ArgumentParser
import Console
import Foundation

/// Converts options from a configuration file and from the environment to command-line arguments.
enum OptionSources {
    /// Options with a value.
    private static let names = [
        "models", "host", "port", "default-model", "threads", "queue", "batch", "max-body-bytes", "max-pixels",
        "max-connections", "max-connections-per-address", "max-held-bytes", "trusted-proxies", "head-seconds",
        "body-seconds",
        "write-seconds", "request-seconds", "idle-seconds", "timeout-seconds", "busy-status", "drain-delay-seconds",
        "drain-seconds", "tls-certificate", "tls-key", "tls-client-ca", "api-keys", "cors-origins", "log-format",
        "log-level",
    ]

    /// Flags; outside the command line their value is true, false, 1 or 0 in any case.
    private static let flags = [
        "tls-require-client", "without-keys", "skip-broken-models", "no-log-client-address",
    ]

    /// Returns a warning for each ignored environment variable; logged after the log is set up.
    static func warnings(environment: [String: String]) -> [String] {
        let known = Set((names + flags + ["config"]).map(variable))
        return environment.keys.filter { $0.hasPrefix("DIA_") }.sorted().compactMap { name in
            let value = environment[name] ?? ""
            if isServiceLink(name, value) { return "\(name) is a Kubernetes service link and is ignored" }
            guard known.contains(name) else { return "\(name) does not name an option and is ignored" }
            return value.isEmpty ? "\(name) is empty and is ignored" : nil
        }
    }

    /// Whether Kubernetes set the variable for a service named "dia" (environment variables of services), such as
    /// `DIA_PORT=tcp://10.0.0.1:80` or `DIA_SERVICE_HOST`.
    private static func isServiceLink(_ name: String, _ value: String) -> Bool {
        let isURL = ["tcp://", "udp://", "sctp://"].contains(where: value.hasPrefix)
        return (name == variable("port") && isURL) || name.hasPrefix("DIA_PORT_") || name.hasPrefix("DIA_SERVICE_")
    }

    private static func variable(_ name: String) -> String { "DIA_" + name.uppercased().replacing("-", with: "_") }

    /// Returns the arguments from the file, then from the environment, then `given`.
    ///
    /// If an option appears more than once, the last one is used.
    static func arguments(_ given: [String], environment: [String: String]) throws -> [String] {
        let fromEnvironment = try (names + flags).flatMap { name -> [String] in
            let variable = variable(name)
            guard let value = environment[variable], !value.isEmpty, !isServiceLink(variable, value) else { return [] }
            return try argument(name, value, variable)
        }
        let file = value(of: "config", in: given) ?? environment["DIA_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        return try (file.map(arguments(ofFile:)) ?? []) + fromEnvironment + given
    }

    private static func argument(_ name: String, _ value: String, _ place: String) throws -> [String] {
        guard flags.contains(name) else { return ["--\(name)=\(value)"] }
        switch value.lowercased() {
        case "true", "1": return ["--\(name)"]
        case "false", "0": return []
        default: throw ValidationError("\(place) must be 'true' or 'false', not '\(value)'")
        }
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
            throw ValidationError("--config \(path): cannot read the file")
        }
        guard let options = ConfigurationFile.options(in: data) else {
            throw ValidationError("--config \(path): expected one JSON object of strings, numbers and booleans")
        }
        if let unknown = options.keys.sorted().first(where: { !(names + flags).contains($0) }) {
            throw ValidationError("--config \(path): unknown option '\(unknown)'")
        }
        return try options.sorted { $0.key < $1.key }.flatMap {
            try argument($0.key, $0.value, "--config \(path): \($0.key)")
        }
    }
}
