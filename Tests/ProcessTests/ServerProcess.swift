import Foundation
import TestSupport

/// A server process that runs until it is stopped.
final class ServerProcess {
    private let process = Process()
    private let output = Pipe(), errors = Pipe()
    /// The port that the server reported.
    private(set) var port: UInt16 = 0
    /// The line that reported it.
    private(set) var readyLine = ""

    /// A failed start, with the output of the process.
    struct StartFailure: Error {
        let text: String
    }

    /// The executable named `name` next to the tests.
    static func executable(_ name: String) -> URL {
        Bundle.module.bundleURL.deletingLastPathComponent().appendingPathComponent(name)
    }

    /// Starts dia-server with `arguments` on a free port with the model "gray-pad" and at most `descriptors` file
    /// descriptors, and waits until it is ready.
    init(_ arguments: [String] = [], descriptors: Int = 1024, environment: [String: String] = [:]) throws {
        let models = ["--models", ReferenceModels.folder("gray-pad").path]
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        // The shell is replaced by the server, so that its process ID is the server's.
        let command = ["-c", "ulimit -n \(descriptors); exec \"$@\"", "bash", Self.executable("dia-server").path]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.arguments = command + models + ["--port", "0", "--threads", "1"] + arguments
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        readyLine = output.nextText()
        guard let number = readyLine.split(separator: ":").last?.prefix(while: \.isNumber), let port = UInt16(number)
        else { throw StartFailure(text: errors.nextText()) }
        self.port = port
    }

    deinit { if process.isRunning { process.terminate() } }

    /// The process ID.
    var identifier: Int32 { process.processIdentifier }

    /// Sends a signal.
    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Ends the process and returns its status and its log.
    func stop() -> (status: Int32, log: String) {
        process.terminate()
        let log = errors.allText()
        process.waitUntilExit()
        return (process.terminationStatus, log)
    }

    /// The log up to the line that contains `text`, or to its end.
    func log(until text: String) -> String {
        var log = ""
        while !log.contains(text) {
            let next = errors.nextText()
            if next.isEmpty { break }
            log += next
        }
        return log
    }
}

/// The result of a program that ran to its end.
struct Outcome {
    let status: Int32
    let output, errors: String

    /// Runs `executable` to its end.
    init(_ executable: URL, _ arguments: [String], environment: [String: String] = [:], input: String = "") throws {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (source, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = source
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        source.fileHandleForWriting.write(Data(input.utf8))
        try source.fileHandleForWriting.close()
        let text = output.allText()
        let errorText = errors.allText()
        process.waitUntilExit()
        (status, self.output, self.errors) = (process.terminationStatus, text, errorText)
    }

    /// Runs a Python script of these tests.
    init(python script: String, _ arguments: [String]) throws {
        let path = Bundle.module.bundleURL.appendingPathComponent("Clients/\(script)").path
        try self.init(URL(fileURLWithPath: "/usr/bin/env"), ["python3", path] + arguments)
    }
}
