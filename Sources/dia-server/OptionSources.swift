import ArgumentParser
import Console
import Foundation

/// Where the options of a command line come from: the line itself, the environment, and a configuration file.
struct OptionSources {
    /// Where the value of an option comes from.
    enum Source {
        case commandLine
        case environment(variable: String)
        case file(path: String)
        case `default`
    }

    /// Options that are not on the command line, by name.
    private var settings: [String: (value: String, source: Source)] = [:]
    private let given: [String]

    /// Reads the options for the arguments `given` from the environment and from the file that either names.
    init(_ given: [String], environment: [String: String]) throws {
        self.given = given
        let file = Self.value(of: "config", in: given) ?? environment["DIA_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        if let file { try read(file: file) }
        for option in ServerOptions.named {
            let variable = Self.variable(option.name)
            guard let value = environment[variable], !value.isEmpty, !Self.isServiceLink(variable, value) else {
                continue
            }
            try set(option, value, .environment(variable: variable), place: variable)
        }
    }

    /// The arguments for all options; if an option appears more than once, the last one is used.
    var arguments: [String] {
        ServerOptions.named.flatMap { option -> [String] in
            guard let value = settings[option.name]?.value else { return [] }
            guard option.isFlag else { return ["--\(option.name)=\(value)"] }
            return value == "true" ? ["--\(option.name)"] : []
        } + given
    }

    /// Returns where the value of an option comes from.
    func source(of name: String) -> Source {
        let isGiven = given.contains { $0 == "--\(name)" || $0.hasPrefix("--\(name)=") }
        return isGiven ? .commandLine : settings[name]?.source ?? .default
    }

    private mutating func set(_ option: ServerOptions.Named, _ value: String, _ source: Source, place: String) throws {
        guard option.isFlag else {
            settings[option.name] = (value, source)
            return
        }
        switch value.lowercased() {
        case "true", "1": settings[option.name] = ("true", source)
        case "false", "0": settings[option.name] = ("false", source)
        default: throw ValidationError("\(place) must be 'true' or 'false', not '\(value)'")
        }
    }

    private mutating func read(file path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("--config \(path): cannot read the file")
        }
        guard let values = ConfigurationFile.options(in: data) else {
            throw ValidationError("--config \(path): expected one JSON object of strings, numbers and booleans")
        }
        let byName = Dictionary(uniqueKeysWithValues: ServerOptions.named.map { ($0.name, $0) })
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let option = byName[name] else {
                throw ValidationError("--config \(path): unknown option '\(name)'")
            }
            try set(option, value, .file(path: path), place: "--config \(path): \(name)")
        }
    }

    private static func value(of name: String, in arguments: [String]) -> String? {
        for (index, argument) in arguments.enumerated().reversed() {
            if argument == "--\(name)" { return index + 1 < arguments.count ? arguments[index + 1] : nil }
            if argument.hasPrefix("--\(name)=") { return String(argument.dropFirst(name.count + 3)) }
        }
        return nil
    }

    private static func variable(_ name: String) -> String { "DIA_" + name.uppercased().replacing("-", with: "_") }

    /// Returns a warning for each ignored environment variable; logged after the log is set up.
    static func warnings(environment: [String: String]) -> [String] {
        let known = Set((ServerOptions.named.map(\.name) + ["config"]).map(variable))
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
}
