import Codecs
import Foundation
import Imaging
import TestSupport
import Testing

/// The client `dia`, as a script runs it.
@Suite(.timeLimit(.minutes(5))) struct ClientProcessTests {
    private static let client = ServerProcess.executable("dia")
    private static let certificates = Bundle.module.bundleURL.appendingPathComponent("Certificates").path

    private func dia(_ arguments: [String], environment: [String: String] = [:], input: String = "") throws -> Outcome {
        try Outcome(Self.client, arguments, environment: environment, input: input)
    }

    /// Runs `script` in Bash, with `dia` as the first argument.
    private func bash(_ script: String, _ arguments: [String]) throws -> Outcome {
        try Outcome(URL(fileURLWithPath: "/bin/bash"), ["-c", script, "bash", Self.client.path] + arguments)
    }

    private func url(_ server: ServerProcess) -> [String] { ["--url", "http://127.0.0.1:\(server.port)"] }

    /// Writes `count` different images to `folder`.
    private func writeImages(_ count: Int, in folder: URL) throws {
        var generator = SeededGenerator(5)
        for index in 0..<count {
            var image = Image(height: 8, width: 8, channels: 1, filledWith: 0)
            for place in image.samples.indices { image.samples[place] = Float.random(in: 0...1, using: &generator) }
            let name = String(format: "%04d.png", index)
            try Data(PNG.encode(image)).write(to: folder.appendingPathComponent(name))
        }
    }

    /// A running client whose output goes to a pipe.
    private final class Running {
        let process = Process()
        let output = Pipe(), errors = Pipe()

        init(_ arguments: [String]) throws {
            process.executableURL = ClientProcessTests.client
            process.arguments = arguments
            process.standardOutput = output
            process.standardError = errors
            try process.run()
        }

        func signal(_ number: Int32) { kill(process.processIdentifier, number) }

        /// Waits for the end, and returns the status (negative for a signal) and everything written.
        func end() -> (status: Int32, output: String, errors: String) {
            let (text, errorText) = (output.allText(), errors.allText())
            process.waitUntilExit()
            let sign: Int32 = process.terminationReason == .exit ? 1 : -1
            return (sign * process.terminationStatus, text, errorText)
        }
    }

    @Test("The sidecar does not start with rules for a model that is not there, or with files that are not there")
    func sidecarErrors() async throws {
        try await withTemporaryFolder { folder in
            let rules = folder.appendingPathComponent("rules.json")
            try Data(#"{"rules": [{"name": "all", "model": "nobody"}]}"#.utf8).write(to: rules)
            let start = [
                "orthanc", "run", "--rules", rules.path, "--state", folder.appendingPathComponent("state").path,
                "--models", ReferenceModels.folder("gray-pad").path, "--orthanc", "http://127.0.0.1:1",
            ]
            let model = try dia(start)
            #expect(model.status == 1 || model.status == 64)
            #expect(model.errors.contains("rule 'all' has the model 'nobody', but the server has gray-pad"))
            try Data(#"{"rules": [{"name": "all", "model": "gray-pad"}]}"#.utf8).write(to: rules)
            for (option, value, text) in [
                ("--stow-ca", "/nowhere.pem", "--stow-ca /nowhere.pem: cannot read the file"),
                ("--orthanc-ca", "/nowhere.pem", "--orthanc-ca /nowhere.pem: cannot read the file"),
                ("--stow", "ftp://host", "--stow: "),
            ] {
                let stow = option == "--stow-ca" ? ["--stow", "http://127.0.0.1:1"] : []
                let outcome = try dia(start + stow + [option, value])
                #expect(outcome.status != 0 && outcome.errors.contains(text), "\(outcome.errors)")
            }
        }
    }

    @Test("Scores without a server are exactly those of a server", arguments: ["csv", "jsonl"])
    func offline(format: String) async throws {
        try await withTemporaryFolder { folder in
            try writeImages(20, in: folder)
            let server = try ServerProcess()
            let arguments = ["score", folder.path, "--format", format]
            let online = try dia(arguments + url(server))
            let offline = try dia(arguments + ["--models", ReferenceModels.folder("gray-pad").path])
            #expect(online.status == 0 && offline.status == 0, "\(online.errors)\(offline.errors)")
            func comparable(_ text: String) -> String { text.replacing(/"request_id":"[0-9a-f]+"/, with: "") }
            #expect(comparable(online.output) == comparable(offline.output))
            #expect(online.output.split(whereSeparator: \.isNewline).count == (format == "csv" ? 21 : 20))
            #expect(server.stop().status == 0)
        }
    }

    @Test("Parameters reach the service, and its errors are records")
    func parameters() async throws {
        try await withTemporaryFolder { folder in
            let deep = folder.appendingPathComponent("deep.png")
            try Data(PNGBuilder.gray16(width: 4, samples: (0..<16).map { $0 * 250 })).write(to: deep)
            try writeImages(1, in: folder)
            let models = ["--models", ReferenceModels.folder("gray-pad").path]
            let options = [
                "--bits", "12", "--window-center", "2048", "--window-width", "4096", "--photometric", "MONOCHROME1",
                "--provenance", "--format", "jsonl",
            ]
            let outcome = try dia(["score", folder.path] + models + options)
            let lines = outcome.output.split(separator: "\n")
            #expect(outcome.status == 1 && lines.count == 2)
            #expect(lines[0].contains("0000.png\",\"index\":0") && lines[0].contains("\"error\":{\"status\":422"))
            #expect(lines[1].contains("\"window_width\":4096") && lines[1].contains("\"provenance\":{"))
        }
    }

    @Test("The exit status says what happened")
    func statuses() async throws {
        try await withTemporaryFolder { folder in
            let images = folder.appendingPathComponent("images")
            try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
            try writeImages(2, in: images)
            // Every image is far below these.
            let model = folder.appendingPathComponent("model")
            let values = (0..<40).map { 1000 + Float($0) }
            try ReferenceModels.calibrated("gray-pad", in: model, normality: values, alpha: 0.05)
            let arguments = ["score", images.path, "--models", model.path]
            #expect(try dia(arguments).status == 0)
            #expect(try dia(arguments + ["--fail-on-anomalous"]).status == 3)
            let missing = try dia(arguments + ["--fail-on-anomalous", "/nowhere.png"])
            #expect(missing.status == 1 && missing.output.contains("/nowhere.png: cannot open the file: No such file"))
            let pattern = try dia(arguments + ["/nowhere/*.png"])
            #expect(pattern.status == 1 && pattern.errors.contains("no file matches the pattern"))
            let table = try dia(arguments)
            #expect(
                table.output.contains("Research use only, not for diagnosis.") && table.output.contains("anomalous")
            )
            #expect(try dia(["health", "--models", model.path]).status == 0)
            #expect(try dia(["models", "--models", model.path]).output.contains("gray-pad*"))
        }
    }

    @Test(
        "Options that are not valid are usage errors that name them",
        arguments: [
            (["score"], "name an image"), (["score", "a", "--bits", "8"], "--bits"),
            (["score", "a", "--window-center", "1"], "--window-width"), (["score", "a", "--url", "x"], "--url"),
            (["score", "a", "--url", "http://u:secret@h"], "--key-file"),
            (["score", "a", "--concurrency", "0"], "--concurrency"),
            (["score", "a", "--models", "/", "--url", "http://h"], "--url"),
            (["score", "a", "--format", "xml"], "--format"),
            (["score", "a", "--resume", "f", "--format", "table"], "--resume"), (["dissolve", "a"], "--out"),
            (["score", "a", "--resume", "f", "--out", "g"], "--out"),
            (["score", "a", "--key-file", "/nowhere"], "/nowhere"),
            (["score", "a", "--ca", "/nowhere"], "/nowhere"),
            (["score", "a", "--certificate", "x"], "--certificate-key"),
            (["heatmap", "a", "--out", "b", "--of", "score", "--t", "5"], "--t"),
            (["score", "-", "--from-file", "-"], "standard input"),
            (["dissolve", "a", "--out", "b", "--t", "5;6"], "--t"), (["score", "a", "--timeout", "nan"], "--timeout"),
            (["score", "a", "--provenance", "--format", "csv"], "--provenance"),
        ]
    )
    func usage(arguments: [String], part: String) throws {
        let outcome = try dia(arguments)
        #expect(outcome.status == 64 && outcome.errors.contains(part), "\(outcome.status) \(outcome.errors)")
        #expect(!outcome.errors.contains("secret"))
    }

    @Test(
        "A run that is killed at any point and repeated has each image once",
        arguments: ["results.csv", "results.jsonl"]
    )
    func resumed(name: String) async throws {
        try await withTemporaryFolder { folder in
            let images = folder.appendingPathComponent("images")
            try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
            let count = 300
            try writeImages(count, in: images)
            try Data("text".utf8).write(to: images.appendingPathComponent("broken.png"))
            let server = try ServerProcess()
            let file = folder.appendingPathComponent(name)
            let arguments = ["score", images.path, "--resume", file.path, "--quiet"] + url(server)
            var generator = SeededGenerator(11)
            var kills = 0
            let most = name.hasSuffix("csv") ? 3000 : 20_000
            for _ in 0..<10 {
                let run = try Running(arguments)
                let target = fileSize(file) + Int.random(in: 0..<most, using: &generator)
                while run.process.isRunning, fileSize(file) < target { usleep(200) }
                run.signal(SIGKILL)
                kills += run.end().status == -SIGKILL ? 1 : 0
            }
            #expect(kills > 4)
            let last = try dia(arguments)
            #expect(last.status == 1, "\(last.errors)")
            let text = try String(contentsOf: file, encoding: .utf8)
            for index in 0..<count {
                #expect(text.components(separatedBy: String(format: "/%04d.png", index)).count == 2)
            }
            #expect(text.components(separatedBy: "broken.png").count == 2)
            // The scores are those of a run that was not killed.
            let whole = try dia(["score", images.path, "--format", "csv"] + url(server))
            func scores(_ text: String) -> [String] {
                text.split(whereSeparator: \.isNewline).map { line in
                    let values = line.matches(of: /"normality":(-?[0-9.e-]+)/).map { String($0.1) }
                    let columns = line.split(separator: ",", omittingEmptySubsequences: false)
                    return values.first ?? (columns.count > 6 ? String(columns[6]) : "")
                }.filter { Double($0) != nil }.sorted()
            }
            #expect(scores(text) == scores(whole.output) && scores(text).count == count)
            // What failed is tried again when it can succeed.
            try FileManager.default.removeItem(at: images.appendingPathComponent("broken.png"))
            #expect(try dia(arguments).status == 0)
            #expect(try !String(contentsOf: file, encoding: .utf8).contains("broken.png"))
            #expect(server.stop().status == 0)
        }
    }

    private func fileSize(_ file: URL) -> Int {
        var status = stat()
        return stat(file.path, &status) == 0 ? Int(status.st_size) : 0
    }

    @Test("Ctrl-C ends a run within a second, also if the server does not respond, and the output is valid")
    func interrupted() async throws {
        try await withTemporaryFolder { folder in
            try writeImages(300, in: folder)
            let server = try ServerProcess()
            let run = try Running(["score", folder.path, "--format", "csv"] + url(server))
            var text = ""
            while text.filter(\.isNewline).count < 3 { text += run.output.nextText() }
            server.signal(SIGSTOP)
            let start = ContinuousClock.now
            run.signal(SIGINT)
            let (status, rest, errors) = run.end()
            #expect(ContinuousClock.now - start < .seconds(1))
            server.signal(SIGCONT)
            text += rest
            #expect(status == 130 && (errors.contains("Interrupted") || text.filter(\.isNewline).count == 301))
            #expect(
                text.hasSuffix("\r\n")
                    && text.split(whereSeparator: \.isNewline).dropFirst().allSatisfy { line in
                        line.count { $0 == "," } == 11
                    }
            )
            #expect(server.stop().status == 0)
        }
    }

    @Test("A closed pipe and a full disk end a run with a message and status 1")
    func outputErrors() async throws {
        try await withTemporaryFolder { folder in
            try writeImages(30, in: folder)
            let options = [folder.path, "--models", ReferenceModels.folder("gray-pad").path]
            let pipe = try bash("\"$1\" score \"${@:2}\" | true; echo ${PIPESTATUS[0]}", options)
            #expect(pipe.output == "1\n" && pipe.errors.contains("Broken pipe"))
            for target in [">/dev/full", "--out /dev/full", ">&-"] {
                let full = try bash("\"$1\" score \"${@:2}\" \(target); echo status $? >&2", options)
                #expect(full.errors.contains("status 1\n") && full.errors.contains("cannot write to"), "\(full.errors)")
            }
        }
    }

    @Test("TLS needs the server's authority and, where the server wants it, a client certificate")
    func tls() throws {
        let files = Self.certificates
        let server = try ServerProcess([
            "--tls-certificate", "\(files)/server.pem", "--tls-key", "\(files)/server.key",
            "--tls-client-ca", "\(files)/client-authority.pem", "--tls-require-client",
        ])
        let address = ["health", "--url", "https://localhost:\(server.port)"]
        let authority = ["--ca", "\(files)/authority.pem"]
        let certificate = ["--certificate", "\(files)/client.pem", "--certificate-key", "\(files)/client.key"]
        let accepted = try dia(address + authority + certificate)
        #expect(accepted.status == 0 && accepted.output == "ready\n", "\(accepted.errors)")
        for (options, part) in [
            (certificate, "--ca"), (authority, "--certificate"),
            (["--ca", "\(files)/client-authority.pem"] + certificate, "another certificate authority"),
            (
                authority + ["--certificate", "\(files)/client.pem", "--certificate-key", "\(files)/second.key"],
                "TLS failed"
            ),
            (
                authority + [
                    "--certificate", "\(files)/server.pem", "--certificate-key", "\(files)/server-passphrase.key",
                ], "TLS failed"
            ),
        ] {
            let outcome = try dia(address + options)
            #expect(outcome.status == 1 && outcome.errors.contains(part), "\(outcome.errors)")
        }
        #expect(server.stop().status == 0)
    }

    @Test("A key is sent, and is neither in messages nor in the list of processes")
    func keys() async throws {
        try await withTemporaryFolder { folder in
            let secret = "dia_0123456789abcdefghij"
            let line = try Outcome(
                ServerProcess.executable("dia-server"),
                ["hash-key", "me", "--stdin"],
                input: secret
            )
            let keys = folder.appendingPathComponent("keys")
            try Data(line.output.utf8).write(to: keys)
            let (file, other) = (folder.appendingPathComponent("key"), folder.appendingPathComponent("other"))
            try Data("\(secret)\n".utf8).write(to: file)
            try Data("dia_another_secret_key_0\n".utf8).write(to: other)
            try writeImages(50, in: folder)
            let server = try ServerProcess(["--api-keys", keys.path])
            let arguments = ["score", folder.path, "--format", "csv"] + url(server)
            let rejected = try dia(arguments + ["--key-file", other.path])
            #expect(rejected.status == 1 && rejected.errors.contains("401") && rejected.errors.contains(other.path))
            #expect(!rejected.errors.contains("another_secret"))
            #expect(try dia(arguments).errors.contains("--key-file"))
            let run = try Running(arguments + ["--key-file", file.path])
            let first = run.output.nextText()
            let number = run.process.processIdentifier
            for name in ["cmdline", "environ", "comm"] {
                let text = FileManager.default.contents(atPath: "/proc/\(number)/\(name)") ?? Data()
                #expect(text.range(of: Data(secret.utf8)) == nil)
            }
            let (status, rest, errors) = run.end()
            #expect(status == 0 && !(first + rest + errors).contains(secret), "\(errors)")
            #expect(server.stop().status == 0)
        }
    }

    @Test("A server that rejects the key in the middle of a run ends it, and the output is valid")
    func revokedKey() async throws {
        try await withTemporaryFolder { folder in
            let secret = "dia_0123456789abcdefghij"
            func line(_ secret: String) throws -> Data {
                let executable = ServerProcess.executable("dia-server")
                return try Data(Outcome(executable, ["hash-key", "me", "--stdin"], input: secret).output.utf8)
            }
            let (keys, file) = (folder.appendingPathComponent("keys"), folder.appendingPathComponent("key"))
            try line(secret).write(to: keys)
            try Data(secret.utf8).write(to: file)
            try writeImages(300, in: folder)
            let server = try ServerProcess(["--api-keys", keys.path])
            let arguments = ["score", folder.path, "--format", "csv", "--key-file", file.path, "--concurrency", "2"]
            let run = try Running(arguments + url(server))
            var text = ""
            while text.filter(\.isNewline).count < 3 { text += run.output.nextText() }
            // The run stands still until the server has the other key.
            run.signal(SIGSTOP)
            try line("dia_another_key_of_more_than_20").write(to: keys)
            server.signal(SIGHUP)
            _ = server.log(until: " reloaded")
            run.signal(SIGCONT)
            let (status, rest, errors) = run.end()
            text += rest
            #expect(status == 1 && errors.contains("401") && errors.contains("have no result"), "\(errors)")
            let records = text.split(whereSeparator: \.isNewline)
            #expect(text.hasSuffix("\r\n") && records.count < 301 && records.allSatisfy { !$0.contains("401 ") })
            #expect(server.stop().status == 0)
        }
    }

    @Test("Names of any bytes come from arguments, folders and lists")
    func names() async throws {
        try await withTemporaryFolder { folder in
            try writeImages(1, in: folder)
            let models = ReferenceModels.folder("gray-pad").path
            let outcome = try bash(
                """
                set -e; cd "$2"; mkdir in; for name in $'b\\xff.png' $'c\\n,".png' '=d.png'; do cp 0000.png "in/$name"; done
                "$1" score --models "$3" --format csv --quiet in/$'b\\xff.png'
                "$1" score --models "$3" --format csv --quiet in
                find in -name '*c*' -print0 | "$1" score --models "$3" --format csv --quiet -0 --from-file -
                cd in; "$1" score --models "$3" --format csv --quiet =d.png; "$1" score --models "$3" --format csv --quiet - < =d.png
                """,
                [folder.path, models]
            )
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.components(separatedBy: "in/b\\xFF.png,").count == 3)
            #expect(outcome.output.components(separatedBy: "\"in/c\n,\"\".png\"").count == 3)
            #expect(outcome.output.contains("\r\n./=d.png,0,") && outcome.output.contains("\r\n-,0,"))
        }
    }

    @Test("Pictures are those of the service, and no input is overwritten")
    func pictures() async throws {
        try await withTemporaryFolder { folder in
            let (images, out) = (folder.appendingPathComponent("images"), folder.appendingPathComponent("out"))
            try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
            try writeImages(3, in: images)
            let server = try ServerProcess()
            for options in [["dissolve", "--t", "50,200"], ["heatmap", "--plain"], ["heatmap", "--t", "5"]] {
                var files: [[Data]] = []
                for source in [url(server), ["--models", ReferenceModels.folder("gray-pad").path]] {
                    let outcome = try dia(options + [images.path, "--out", out.path] + source)
                    #expect(outcome.status == 0, "\(outcome.errors)")
                    let names = outcome.output.split(separator: "\n")
                    #expect(Set(names).count == 3)
                    files.append(try names.map { try Data(contentsOf: URL(fileURLWithPath: String($0))) })
                }
                #expect(files[0] == files[1] && files[0][0].starts(with: PNG.signature))
            }
            let target = try #require(
                try dia(["dissolve", images.appendingPathComponent("0000.png").path, "--out", out.path] + url(server))
                    .output
                    .split(separator: "\n").first.map(String.init)
            )
            let input = images.appendingPathComponent("0000.png")
            let before = try Data(contentsOf: input)
            try FileManager.default.removeItem(atPath: target)
            try FileManager.default.linkItem(at: input, to: URL(fileURLWithPath: target))
            let refused = try dia(["dissolve", input.path, "--out", out.path] + url(server))
            #expect(refused.status == 1 && refused.errors.contains("is an input"))
            #expect(try Data(contentsOf: input) == before)
            let over = try dia(["score", input.path, "--out", input.path] + url(server))
            #expect(over.status == 1 && over.errors.contains("is an input"))
            #expect(try Data(contentsOf: input) == before)
            #expect(server.stop().status == 0)
        }
    }

    @Test(
        "A DICOM file has the score of its rendering as PNG",
        arguments: ["ct-signed", "dx-monochrome1", "jpeg-baseline", "rgb-16", "j2k"]
    )
    func dicom(_ name: String) async throws {
        let files = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../DICOMTests/Files")
        let file = files.appendingPathComponent("\(name).dcm").path
        try #require(FileManager.default.fileExists(atPath: file), "no such fixture")
        try await withTemporaryFolder { folder in
            let models = ["--models", ReferenceModels.folder("gray-pad").path, "--format", "csv"]
            #expect(try dia(["render", file, "--out", folder.path]).status == 0)
            let direct = try dia(["score", file] + models)
            let rendered = try dia(["score", folder.appendingPathComponent("\(name).png").path] + models)
            func scores(_ outcome: Outcome) -> [Substring] {
                outcome.output.split(whereSeparator: \.isNewline).map { $0.drop { $0 != "," } }
            }
            #expect(direct.status == 0 && scores(direct).count == 2, "\(direct.errors)")
            #expect(scores(direct) == scores(rendered))
        }
    }

    @Test("The frames of a DICOM file are scored as it is asked for, and an error does not hide those before it")
    func frames() async throws {
        let files = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../DICOMTests/Files")
        let options = ["--models", ReferenceModels.folder("gray-pad").path, "--format", "csv"]
        func frames(_ name: String, _ frame: String) throws -> [String] {
            let outcome = try dia(["score", files.appendingPathComponent(name).path, "--frame", frame] + options)
            return outcome.output.split(whereSeparator: \.isNewline).dropFirst().map { row in
                let cells = row.split(separator: ",", omittingEmptySubsequences: false)
                return "\(cells[10])\(cells[11].isEmpty ? "" : " error")"
            }
        }
        #expect(try frames("frames.dcm", "first") == ["1"] && frames("frames.dcm", "all") == ["1", "2", "3"])
        #expect(try frames("frames.dcm", "3") == ["3"] && frames("gray-8.dcm", "all") == [""])
        #expect(try frames("bad-frames.dcm", "all") == ["1", " error"] && frames("frames.dcm", "9") == [" error"])
    }

    @Test("docs/client.md documents every option")
    func documented() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        let text = try String(contentsOf: root.appendingPathComponent("docs/client.md"), encoding: .utf8)
        for command in ["score", "dissolve", "heatmap", "models", "health"] {
            #expect(text.contains("`dia \(command)"))
            let help = try dia([command, "--help"]).output
            let names = help.matches(of: /--[a-z][a-z-]+/).map { String($0.0) }
            #expect(names.contains("--url"))
            for name in names where !["--help", "--version"].contains(name) {
                #expect(text.contains("`\(name)"), "\(command): \(name)")
            }
        }
    }
}
