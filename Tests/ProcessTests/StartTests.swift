import Foundation
import TestSupport
import Testing

/// How the processes start, and how they handle their environment and output streams.
@Suite(.timeLimit(.minutes(2))) struct StartTests {
    private let models = ["--models", ReferenceModels.folder("gray-pad").path]

    /// The outcome of the shell command `command`, in which $SERVER and $TRAINER stand for the executables.
    private func shell(_ command: String, environment: [String: String] = [:]) throws -> Outcome {
        let executables = [
            "SERVER": ServerProcess.executable("dia-server").path,
            "TRAINER": ServerProcess.executable("dia-train").path,
            "MODELS": ReferenceModels.folder("gray-pad").path,
        ]
        return try Outcome(
            URL(fileURLWithPath: "/bin/bash"),
            ["-c", command],
            environment: environment.merging(executables) { $1 }
        )
    }

    @Test(
        "An unwritable standard stream never kills a process by a signal; lost essential output gives status 1",
        arguments: [
            ("$SERVER --models $MODELS --check > /dev/full", 1), ("$SERVER --models $MODELS --check >&-", 1),
            ("$SERVER --help > /dev/full", 1), ("$SERVER --help | true; exit ${PIPESTATUS[0]}", nil),
            ("$SERVER hash-key a > /dev/full", 1), ("$SERVER hash-key a 2> /dev/full", 1),
            ("$SERVER --models /nowhere 2> /dev/full", 1), ("$TRAINER --help > /dev/full", 1),
            ("$TRAINER --help >&-", 1), ("$TRAINER run 2> /dev/full", 1),
            ("$TRAINER synthesize --out $(mktemp -d)/x --side 16 --train 2 --validation 0 --test 0 > /dev/full", 1),
            ("$TRAINER synthesize --out $(mktemp -d)/x --side 16 --train 2 --validation 0 --test 0 2> /dev/full", 0),
        ] as [(String, Int32?)]
    )
    func brokenStreams(_ command: String, _ status: Int32?) throws {
        let outcome = try shell(command)
        #expect(outcome.status < 128, "\(command): \(outcome.status)")
        if let status { #expect(outcome.status == status, "\(command): \(outcome.errors)") }
    }

    @Test(
        "A server keeps running when its standard streams are full, closed or missing",
        arguments: ["> /dev/full", ">&- 2>&-"]
    )
    func servesWithoutStreams(_ redirection: String) throws {
        // Its output is lost, so the port is chosen here and polled until it answers.
        let command = """
            trap 'kill $(jobs -p) 2> /dev/null' EXIT
            for try in 1 2 3 4 5; do
                port=$((20000 + RANDOM))
                $SERVER --models $MODELS --threads 1 --port $port \(redirection) &
                pid=$!
                for wait in $(seq 100); do
                    status=$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:$port/readyz)
                    [ "$status" = 200 ] && break 2
                    kill -0 $pid 2> /dev/null || break
                    sleep 0.1
                done
            done
            kill $pid; wait $pid
            echo "$status $?"
            """
        #expect(try shell(command).output.hasSuffix("200 0\n"))
    }

    @Test("With too little address space, startup fails at once with a message")
    func addressSpace() throws {
        let start = ContinuousClock.now
        let outcome = try shell("ulimit -v 700000; exec $SERVER --models $MODELS --port 0 --threads 4")
        #expect(outcome.status == 1 && outcome.errors.contains("ulimit -v"), "\(outcome.errors)")
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("The socket listens before the models are loaded, and SIGTERM during loading ends the process")
    func loading() async throws {
        try await withTemporaryFolder { folder in
            // Enough models that loading them takes a while.
            let source = ReferenceModels.folder("imagenet")
            let manifest = try String(contentsOf: source.appendingPathComponent("model.json"), encoding: .utf8)
            for index in 0..<250 {
                let place = folder.appendingPathComponent("m\(index)")
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
                for file in try FileManager.default.contentsOfDirectory(atPath: source.path) where file != "model.json"
                {
                    try FileManager.default.createSymbolicLink(
                        at: place.appendingPathComponent(file),
                        withDestinationURL: source.appendingPathComponent(file)
                    )
                }
                let text = manifest.replacing("\"name\": \"imagenet\"", with: "\"name\": \"m\(index)\"")
                try Data(text.utf8).write(to: place.appendingPathComponent("model.json"))
            }
            let process = Process()
            process.executableURL = ServerProcess.executable("dia-server")
            process.arguments = ["--models", folder.path, "--port", "0", "--threads", "1"]
            let (output, errors) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            var log = ""
            while !log.contains("listening"), process.isRunning { log += errors.nextText() }
            let digits = log.split(separator: "http://127.0.0.1:").last?.prefix(while: \.isNumber)
            let client = try RawClient(port: try #require(digits.flatMap { UInt16($0) }))
            for (path, status) in [
                ("/livez", 200), ("/readyz", 503), ("/v1/models/m0", 503), ("/v2/health/ready", 503),
            ] {
                await client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                let response = try #require(await client.response())
                #expect(response.status == status, "\(path)")
                if status == 503 {
                    #expect(String(decoding: response.body, as: UTF8.self).contains("the models are being loaded"))
                }
            }
            let start = ContinuousClock.now
            process.terminate()
            let text = output.allText()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0 && ContinuousClock.now - start < .seconds(5))
            #expect(text.isEmpty, "expected no ready line: \(text)")
        }
    }

    @Test("A broken model fails the start, or is skipped on request; names starting with a dot are ignored")
    func brokenModels() async throws {
        try await withTemporaryFolder { folder in
            func copy(_ name: String) throws -> URL {
                let place = folder.appendingPathComponent(name)
                try FileManager.default.copyItem(at: ReferenceModels.folder("gray-pad"), to: place)
                return place
            }
            _ = try copy("good")
            let hidden = try copy(".hidden")
            try Data("junk".utf8).write(to: hidden.appendingPathComponent("model.json"))
            let check = ["--models", folder.path, "--check"]
            let server = ServerProcess.executable("dia-server")
            #expect(try Outcome(server, check).status == 0)
            // Git LFS leaves a short pointer text in place of a file.
            let pointer = Data("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n".utf8)
            let broken = try copy("broken")
            // Two models with one name would be another error.
            let manifest = broken.appendingPathComponent("model.json")
            let text = try String(contentsOf: manifest, encoding: .utf8)
            try Data(text.replacing("\"name\": \"gray-pad\"", with: "\"name\": \"other\"").utf8).write(to: manifest)
            for file in ["unet.safetensors", "model.json"] {
                try pointer.write(to: broken.appendingPathComponent(file))
                let outcome = try Outcome(server, check)
                #expect(outcome.status != 0 && outcome.errors.contains("git lfs pull"), "\(outcome.errors)")
                #expect(outcome.errors.contains("\(folder.path)/broken"), "\(outcome.errors)")
            }
            // Skipping the default model would leave its paths without a model.
            for name in ["other", "unknown"] {
                let arguments = [
                    "--models", folder.path, "--skip-broken-models", "--default-model", name, "--port", "0",
                ]
                let outcome = try Outcome(server, arguments)
                #expect(outcome.status != 0 && outcome.errors.contains("'\(name)'"), "\(outcome.errors)")
            }
            let serving = try ServerProcess(["--models", folder.path, "--skip-broken-models"])
            let client = try RawClient(port: serving.port)
            await client.send("GET /v1/models/gray-pad HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await client.response()?.status == 200)
            let (status, log) = serving.stop()
            #expect(status == 0 && log.contains("model skipped") && log.contains("\(folder.path)/broken"))
        }
    }

    @Test("SIGHUP detects a damaged file, keeps the old model and names the directory")
    func damagedSince() async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("m")
            try FileManager.default.copyItem(at: ReferenceModels.folder("gray-pad"), to: place)
            let server = try ServerProcess(["--models", folder.path])
            let handle = try FileHandle(forWritingTo: place.appendingPathComponent("encoder.safetensors"))
            try handle.truncate(atOffset: 1000)
            try handle.close()
            server.signal(SIGHUP)
            var log = ""
            log += server.log(until: "reload failed")
            #expect(log.contains("reload failed") && log.contains(place.path) && log.contains("encoder.safetensors"))
            let client = try RawClient(port: server.port)
            await client.send("GET /v1/models/gray-pad HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await client.response()?.status == 200)
            await client.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            let metrics = await client.response().map { String(decoding: $0.body, as: UTF8.self) } ?? ""
            #expect(metrics.contains("dia_reloads_total{result=\"failure\"} 1\n"))
            #expect(metrics.contains("dia_reloads_total{result=\"success\"} 0\n"))
            #expect(server.stop().status == 0)
        }
    }

    @Test("Unknown, empty and Kubernetes-defined variables are ignored with a warning")
    func environment() throws {
        let variables = [
            "DIA_PORT": "tcp://10.0.0.1:80", "DIA_SERVICE_HOST": "10.0.0.1", "DIA_QUEU": "7", "DIA_LOG_LEVEL": "",
        ]
        let server = try ServerProcess(environment: variables)
        #expect(server.readyLine.contains("ready at http://127.0.0.1:"))
        let (status, log) = server.stop()
        #expect(status == 0)
        for name in variables.keys { #expect(log.contains("\(name) "), "\(name)") }
    }

    @Test("A bracketed address is accepted, the ready line follows the log format, and --help lists the options")
    func startupOutput() throws {
        let bracketed = try ServerProcess(["--host", "[::1]", "--log-format", "json"])
        #expect(bracketed.readyLine.hasPrefix("{\"time\":") && bracketed.readyLine.contains("\"url\":\"http://[::1]:"))
        #expect(bracketed.stop().status == 0)
        let taken = try ServerProcess()
        let second = try Outcome(ServerProcess.executable("dia-server"), models + ["--port", "\(taken.port)"])
        #expect(second.status != 0 && second.errors.contains("127.0.0.1:\(taken.port): bind"), "\(second.errors)")
        let help = try Outcome(ServerProcess.executable("dia-server"), ["--help"])
        #expect(help.status == 0 && help.output.contains("--max-held-bytes") && help.output.contains("hash-key"))
    }

    @Test("The log has the client's address, the one that a trusted proxy reports, or neither")
    func clients() async throws {
        for (arguments, expected, not) in [
            ([], "client=127.0.0.1", "192.0.2.7"),
            (["--trusted-proxies", "127.0.0.0/8"], "client=192.0.2.7", "client=127"),
            (["--no-log-client-address"], "status=200", "client="),
        ] {
            let server = try ServerProcess(arguments)
            let client = try RawClient(port: server.port)
            await client.send("GET /v1/models HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: Jane Roe, 192.0.2.7\r\n\r\n")
            #expect(await client.response()?.status == 200)
            let (status, log) = server.stop()
            #expect(status == 0 && log.contains(expected) && !log.contains(not) && !log.contains("Jane"), "\(log)")
        }
    }
}
