import Codecs
import Foundation
import Imaging
import TestSupport
import Testing

/// The built executables, as a user runs them.
@Suite(.timeLimit(.minutes(2))) struct ProcessTests {
    private func run(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        try Outcome(ServerProcess.executable(name), arguments, environment: environment)
    }

    @Test("The server prints its address, serves, logs nothing about the image, and exits with 0 on SIGTERM")
    func lifecycle() async throws {
        let server = try ServerProcess()
        #expect(server.readyLine.contains("http://127.0.0.1:\(server.port)"))
        let client = try RawClient(port: server.port)
        let png = PNG.encode(Image(height: 8, width: 8, channels: 1, filledWith: 0.5))
        await client.send("POST /v1/score?patient=Roe HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n")
        await client.send("X-Request-ID: id-7\r\nContent-Length: \(png.count)\r\n\r\n")
        await client.send(png)
        #expect(await client.response()?.status == 200)
        await client.send("GET /patient/Roe HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await client.response()?.status == 404)
        let (status, log) = server.stop()
        #expect(status == 0)
        #expect(log.contains("id-7") && !log.contains("Roe"))
    }

    @Test("SIGTERM while models are loading ends the server normally")
    func earlySignal() throws {
        let process = Process()
        process.executableURL = ServerProcess.executable("dia-server")
        process.arguments = ["--models", ReferenceModels.folder("deep-gray").path, "--port", "0"]
        let errors = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        // Wait for the first line of the log.
        _ = errors.nextText()
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0 && process.terminationReason == .exit)
    }

    @Test("Invalid options are errors that name them")
    func badOptions() throws {
        let models = ReferenceModels.folder("gray-pad").path
        let cases: [([String], String)] = [
            ([], "--models"), (["--models", "/nowhere"], "/nowhere"), (["--models", models, "--port", "x"], "--port"),
            (["--models", models, "--port", "70000"], "--port"), (["--models", models, "--queue", "0"], "--queue"),
            (["--models", models, "--threads", "-1"], "--threads"), (["--models", models, "--nonsense"], "--nonsense"),
            (["--models", models, "--default-model", "nobody"], "nobody"), (["--config", "/nowhere"], "/nowhere"),
        ]
        for (arguments, part) in cases {
            let outcome = try run("dia-server", arguments)
            #expect(outcome.status != 0 && outcome.errors.contains(part), "\(arguments): \(outcome.errors)")
        }
    }

    @Test("The server listens beyond loopback only with keys, client certificates or --without-keys")
    func openToOthers() throws {
        let models = ReferenceModels.folder("gray-pad").path
        let rejected = try run("dia-server", ["--models", models, "--host", "0.0.0.0", "--check"])
        #expect(rejected.status != 0 && rejected.errors.contains("--api-keys"))
        let accepted = try run("dia-server", ["--models", models, "--host", "0.0.0.0", "--check", "--without-keys"])
        #expect(accepted.status == 0)
        for host in ["127.0.0.1", "localhost", "::1", "127.5.5.5"] {
            #expect(try run("dia-server", ["--models", models, "--host", host, "--check"]).status == 0)
        }
    }

    @Test("--check validates the configuration and the models, and exits")
    func check() throws {
        let models = ReferenceModels.folder("gray-pad").path
        let valid = try run("dia-server", ["--models", models, "--check"])
        #expect(valid.status == 0 && valid.output.contains("1 models are valid"))
        let origins = "null,https://a:8443,moz-extension://1-2,chrome-extension://ab,*"
        #expect(try run("dia-server", ["--models", models, "--check", "--cors-origins", origins]).status == 0)
        for (value, isValid) in [("1", true), ("TRUE", true), ("0", true), ("False", true), ("yes", false)] {
            let flag = try run("dia-server", ["--models", models, "--check"], environment: ["DIA_WITHOUT_KEYS": value])
            #expect((flag.status == 0) == isValid, "\(value)")
        }
        let keys = try run("dia-server", ["--models", models, "--check", "--api-keys", "/nowhere"])
        #expect(keys.status != 0 && keys.errors.contains("/nowhere"))
        for (arguments, part) in [
            (["--busy-status", "500"], "--busy-status"), (["--max-held-bytes", "1000"], "--max-body-bytes"),
            (["--cors-origins", "example.org"], "example.org"), (["--log-format", "xml"], "xml"),
            (["--cors-origins", "https://a/b"], "https://a/b"), (["--cors-origins", "ftp://a"], "ftp://a"),
            (["--log-level", "loud"], "loud"),
            (["--timeout-seconds", "0"], "--timeout-seconds"),
        ] {
            let outcome = try run("dia-server", ["--models", models, "--check"] + arguments)
            #expect(outcome.status != 0 && outcome.errors.contains(part), "\(arguments): \(outcome.errors)")
        }
    }

    @Test("A key made by hash-key grants access; SIGHUP loads new keys, and an invalid file changes nothing")
    func keys() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("keys").path
            let made = try run("dia-server", ["hash-key", "pacs", "--scopes", "score,metrics", "--rate", "100"])
            let secret = made.errors.trimmingCharacters(in: .newlines)
            #expect(made.status == 0 && made.output.hasPrefix("pacs score,metrics sha256:") && secret.count > 50)
            #expect(!made.output.contains(secret))
            try Data(made.output.utf8).write(to: URL(fileURLWithPath: path))
            let server = try ServerProcess(["--api-keys", path, "--log-format", "json"])
            let client = try RawClient(port: server.port)
            func status(_ key: String?) async -> Int? {
                let field = key.map { "Authorization: Bearer \($0)\r\n" } ?? ""
                await client.send("GET /v1/models HTTP/1.1\r\nHost: a\r\n\(field)\r\n")
                return await client.response()?.status
            }
            #expect(await status(nil) == 401)
            #expect(await status(secret) == 200)
            try Data("junk".utf8).write(to: URL(fileURLWithPath: path))
            server.signal(SIGHUP)
            var log = ""
            log += server.log(until: "reload failed")
            #expect(await status(secret) == 200)
            let own = try Outcome(
                ServerProcess.executable("dia-server"),
                ["hash-key", "ops", "--stdin"],
                input: "a-secret-of-my-own-choice\n"
            )
            try Data(own.output.utf8).write(to: URL(fileURLWithPath: path))
            server.signal(SIGHUP)
            log += server.log(until: "\"reloaded\"")
            #expect(await status(secret) == 401)
            #expect(await status("a-secret-of-my-own-choice") == 200)
            log += server.stop().log
            // Every line is JSON; some name the key, and none contains the secret.
            var names: Set<String> = []
            for line in log.split(separator: "\n") {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                if let name = object?["key"] as? String { names.insert(name) }
                #expect(object?["time"] != nil && object?["level"] != nil)
            }
            #expect(names == ["pacs", "ops"] && !log.contains(secret) && !log.contains("my-own-choice"))
            for (arguments, input) in [
                (["hash-key", "a b"], ""), (["hash-key", "a", "--scopes", "fly"], ""), (["hash-key"], ""),
                (["hash-key", "a", "--rate", "0"], ""), (["hash-key", "a", "--stdin"], "short\n"),
            ] {
                #expect(try Outcome(ServerProcess.executable("dia-server"), arguments, input: input).status != 0)
            }
        }
    }

    @Test("A service manager passes the socket and is notified of readiness, reload, watchdog and stop")
    func serviceManager() throws {
        let arguments = [
            ServerProcess.executable("dia-server").path, "--models", ReferenceModels.folder("gray-pad").path,
        ]
        let outcome = try Outcome(python: "notify.py", arguments)
        #expect(outcome.output == "ok\n", "\(outcome.output)\(outcome.errors)")
    }

    @Test("Out of descriptors, the server serves its open connections and accepts new ones once some are free")
    func outOfDescriptors() async throws {
        let server = try ServerProcess(descriptors: 48)
        var clients: [RawClient] = []
        for _ in 0..<100 { clients.append(try RawClient(port: server.port)) }
        for client in clients { await client.send("GET / HT") }
        let firstLines = server.log(until: "cannot accept")
        clients = []
        let next = try RawClient(port: server.port)
        await next.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        let metrics = String(decoding: try #require(await next.response()).body, as: UTF8.self)
        #expect(metrics.contains("refused_total{reason=\"system\"}") && !metrics.contains("{reason=\"system\"} 0"))
        let (status, lastLines) = server.stop()
        let log = firstLines + lastLines
        // Logged once in a while, not at every attempt.
        #expect(status == 0 && log.components(separatedBy: "cannot accept").count == 2, "\(log)")
    }

    @Test("While draining the server is not ready, and it serves requests until the delay is over")
    func drainDelay() async throws {
        let server = try ServerProcess(["--drain-delay-seconds", "1"])
        let client = try RawClient(port: server.port)
        await client.send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await client.response()?.status == 200)
        server.signal(SIGTERM)
        var status: Int? = 200
        while status == 200 {
            await client.send("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
            status = await client.response()?.status
        }
        #expect(status == 503)
        let late = try RawClient(port: server.port)
        await late.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await late.response()?.status == 200)
        #expect(server.stop().status == 0)
    }

    @Test("Every command-line option can also be set by an environment variable")
    func environment() throws {
        let help = try run("dia-server", ["serve", "--help"]).output
        let names = help.split(separator: "\n").compactMap { line -> String? in
            guard line.hasPrefix("  --") else { return nil }
            return String(line.dropFirst(4).prefix { $0 != " " })
        }.filter { !["check", "config", "help", "version"].contains($0) }
        #expect(names.count > 25)
        for name in names {
            let variable = "DIA_" + name.uppercased().replacing("-", with: "_")
            // No option accepts this value.
            let outcome = try run("dia-server", ["--models", "/nowhere", "--check"], environment: [variable: "\u{7F}"])
            let isNamed = outcome.errors.contains("--\(name)") || outcome.errors.contains(variable)
            #expect(outcome.status != 0, "\(variable)")
            // Text options accept any value; the others name what is wrong.
            if !["models", "host", "default-model"].contains(name) {
                #expect(isNamed, "\(variable): \(outcome.errors)")
            }
        }
    }

    @Test("A broken model is a startup error that names the file")
    func brokenModel() async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("m")
            try FileManager.default.copyItem(at: ReferenceModels.folder("gray-pad"), to: place)
            try Data("junk".utf8).write(to: place.appendingPathComponent("unet.safetensors"))
            let outcome = try run("dia-server", ["--models", folder.path, "--port", "0"])
            #expect(outcome.status != 0 && outcome.errors.contains("unet.safetensors: has sha256"))
        }
    }

    @Test("The command line overrides the environment, which overrides the configuration file")
    func optionSources() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("c.json")
            try Data(#"{"models": "/from-file", "queue": 5}"#.utf8).write(to: file)
            let fromFile = try run("dia-server", ["--config", file.path])
            #expect(fromFile.errors.contains("/from-file"))
            let fromEnvironment = try run(
                "dia-server",
                ["--config", file.path],
                environment: ["DIA_MODELS": "/from-env"]
            )
            #expect(fromEnvironment.errors.contains("/from-env"))
            let fromLine = try run(
                "dia-server",
                ["--models", "/from-line"],
                environment: ["DIA_MODELS": "/from-env", "DIA_CONFIG": file.path]
            )
            #expect(fromLine.errors.contains("/from-line"))
            try Data(#"{"quue": 5}"#.utf8).write(to: file)
            #expect(try run("dia-server", ["--config", file.path]).errors.contains("quue"))
        }
    }

    @Test("config prints the value of every option and where it comes from")
    func showsConfiguration() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("c.json")
            try Data(#"{"models": "/m", "queue": 5, "without-keys": true, "threads": 1}"#.utf8).write(to: file)
            let arguments = ["config", "--config", file.path, "--host", "0.0.0.0", "--threads=3"]
            let environment = ["DIA_QUEUE": "7", "DIA_API_KEYS": "/keys"]
            let text = try run("dia-server", arguments, environment: environment)
            #expect(text.status == 0)
            let lines = text.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
            for line in [
                "models /m file \(file.path)", "queue 7 environment DIA_QUEUE", "without-keys true file \(file.path)",
                "host 0.0.0.0 command line", "threads 3 command line", "port 8080 default", "tls-key none default",
                "api-keys /keys environment DIA_API_KEYS", "log-level info default",
            ] {
                #expect(lines.contains(line), "\(line)")
            }
            let json = try run("dia-server", arguments + ["--json"], environment: environment)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: [String: Any]]
            )
            #expect(object.count == lines.count)
            #expect(object["queue"]?["value"] as? Int == 7 && object["queue"]?["place"] as? String == "DIA_QUEUE")
            // What is printed is what the server uses: an option that is not valid is the same error.
            let wrong = try run("dia-server", ["config"], environment: ["DIA_MODELS": "/m", "DIA_QUEUE": "0"])
            #expect(wrong.status != 0 && wrong.errors.contains("--queue is 0"))
        }
    }

    @Test("A flag that is false in the environment overrides the configuration file")
    func falseFlag() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("c.json")
            try Data(#"{"models": "/m", "host": "0.0.0.0", "without-keys": true}"#.utf8).write(to: file)
            let outcome = try run(
                "dia-server",
                ["--config", file.path],
                environment: ["DIA_WITHOUT_KEYS": "false"]
            )
            #expect(outcome.status != 0 && outcome.errors.contains("reachable from other machines"))
        }
    }

    @Test("The command serve takes options from the environment")
    func namedCommand() throws {
        let outcome = try run("dia-server", ["serve"], environment: ["DIA_MODELS": "/from-env"])
        #expect(outcome.errors.contains("/from-env"))
    }

    @Test("The trainer's errors name what is wrong")
    func trainerErrors() async throws {
        try await withTemporaryFolder { folder in
            let none = try run("dia-train", ["run", "--data", "/nowhere", "--normal", "0", "--out", folder.path])
            #expect(none.status != 0 && none.errors.contains("recipe"))
            let count = try run("dia-train", ["synthesize", "--out", folder.path, "--side", "2"])
            #expect(count.status != 0 && count.errors.contains("--side"))
            try Data("not a zip file".utf8).write(to: folder.appendingPathComponent("d.npz"))
            let model = ReferenceModels.folder("gray-pad").path
            let data = folder.appendingPathComponent("d.npz").path
            let broken = try run("dia-train", ["evaluate", "--data", data, "--normal", "0", "--model", model])
            #expect(broken.status != 0 && broken.errors.contains("d.npz"))
        }
    }

    @Test("Ctrl-C saves a checkpoint and exits without writing a model file")
    func interrupted() async throws {
        try await withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("data").path
            let counts = ["--side", "16", "--train", "12", "--validation", "0", "--test", "0"]
            #expect(try run("dia-train", ["synthesize", "--out", data] + counts).status == 0)
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
            let recipe = try String(
                contentsOf: root.appendingPathComponent("Models/phantom/recipe.json"),
                encoding: .utf8
            )
            let path = folder.appendingPathComponent("recipe.json")
            let changes = [
                ("\"height\": 128, \"width\": 128", "\"height\": 16, \"width\": 16"),
                ("\"resolution\": 64", "\"resolution\": 16"), ("\"resolution\": 32", "\"resolution\": 16"),
                ("\"batch\": 12", "\"batch\": 2"),
            ]
            try Data(changes.reduce(recipe) { $0.replacing($1.0, with: $1.1) }.utf8).write(to: path)
            let out = folder.appendingPathComponent("m").path
            let arguments = ["diffusion", "--data", data, "--normal", "normal", "--out", out, "--recipe", path.path]
            let process = Process()
            process.executableURL = ServerProcess.executable("dia-train")
            process.arguments = arguments + ["--threads", "1"]
            let errors = Pipe()
            process.standardError = errors
            try process.run()
            // The first progress line shows that training has started.
            let first = errors.nextText()
            #expect(first.contains("diffusion: 1/700"))
            process.interrupt()
            let rest = errors.allText()
            process.waitUntilExit()
            #expect(process.terminationStatus == 1 && rest.contains("interrupted"), "\(rest)")
            let checkpoint = "\(out)/.training/diffusion.checkpoint.safetensors"
            #expect(FileManager.default.fileExists(atPath: checkpoint))
            #expect(!FileManager.default.fileExists(atPath: "\(out)/unet.safetensors"))
        }
    }
}
