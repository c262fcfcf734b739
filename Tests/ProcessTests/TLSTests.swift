import Foundation
import TestSupport
import Testing

/// TLS as an independent client sees it (Python's ssl module).
@Suite(.timeLimit(.minutes(2))) struct TLSTests {
    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Certificates").path

    private static func file(_ name: String) -> String { "\(folder)/\(name)" }

    private static let certificate = ["--tls-certificate", file("server.pem"), "--tls-key", file("server.key")]

    private func check(_ name: String, _ server: ServerProcess) throws {
        let outcome = try Outcome(python: "tls_client.py", [String(server.port), Self.folder, name])
        #expect(outcome.output == "ok\n", "\(name): \(outcome.output)\(outcome.errors)")
    }

    @Test("Only TLS 1.2 and 1.3 with http/1.1 are accepted; invalid and silent connections are closed")
    func server() throws {
        let server = try ServerProcess(Self.certificate + ["--head-seconds", "1"])
        #expect(server.readyLine.contains("https://127.0.0.1:"))
        for name in ["versions", "pieces", "junk", "large", "silent"] { try check(name, server) }
        #expect(server.stop().status == 0)
    }

    /// Where setup-sslyze.sh installs the scanner.
    private static let scanner = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../.build/sslyze-venv/bin/python").standardizedFileURL

    @Test(
        "A scanner reports no problems (sslyze, Mozilla's intermediate profile)",
        .enabled(if: FileManager.default.fileExists(atPath: scanner.deletingLastPathComponent().path + "/sslyze"))
    )
    func scanned() throws {
        let server = try ServerProcess(Self.certificate)
        let script = Bundle.module.bundleURL.appendingPathComponent("Clients/scan.py").path
        let outcome = try Outcome(Self.scanner, [script, String(server.port)])
        #expect(outcome.output == "ok\n", "\(outcome.output)\(outcome.errors)")
        #expect(server.stop().status == 0)
    }

    @Test("Client certificates are requested, and required if configured")
    func clients() throws {
        let authority = ["--tls-client-ca", Self.file("client-authority.pem")]
        let optional = try ServerProcess(Self.certificate + authority)
        try check("client_optional", optional)
        #expect(optional.stop().status == 0)
        let required = try ServerProcess(Self.certificate + authority + ["--tls-require-client"])
        try check("client_required", required)
        #expect(required.stop().status == 0)
    }

    @Test("SIGHUP loads a new certificate; an invalid one leaves the old one in use")
    func reload() async throws {
        try await withTemporaryFolder { folder in
            func install(_ name: String) throws {
                for ending in ["pem", "key"] {
                    let data = try Data(contentsOf: URL(fileURLWithPath: Self.file("\(name).\(ending)")))
                    try data.write(to: folder.appendingPathComponent("current.\(ending)"))
                }
            }
            try install("server")
            let path = folder.appendingPathComponent("current").path
            let server = try ServerProcess(["--tls-certificate", "\(path).pem", "--tls-key", "\(path).key"])
            func name() throws -> String {
                try Outcome(python: "tls_client.py", [String(server.port), Self.folder, "name"]).output
            }
            #expect(try name() == "server\nok\n")
            try Data("junk".utf8).write(to: folder.appendingPathComponent("current.pem"))
            server.signal(SIGHUP)
            var log = ""
            log += server.log(until: "reload failed")
            #expect(log.contains("current.pem"))
            #expect(try name() == "server\nok\n")
            try install("second")
            server.signal(SIGHUP)
            log += server.log(until: " reloaded")
            #expect(try name() == "second\nok\n")
            #expect(server.stop().status == 0)
        }
    }

    @Test("Invalid certificate and key files are startup errors that name them")
    func brokenFiles() throws {
        for (arguments, part) in [
            (["--tls-certificate", "/nowhere", "--tls-key", Self.file("server.key")], "/nowhere"),
            (["--tls-certificate", Self.file("server.pem"), "--tls-key", "/nowhere"], "/nowhere"),
            (["--tls-certificate", Self.file("server.pem"), "--tls-key", Self.file("second.key")], "mismatch"),
            (["--tls-certificate", Self.file("server.pem"), "--tls-key", Self.file("server-passphrase.key")], "key"),
            // OpenSSL accepts a key of another type than the certificate's, but then no handshake succeeds.
            (["--tls-certificate", Self.file("rsa.pem"), "--tls-key", Self.file("server.key")], "does not match the"),
            (
                ["--tls-certificate", Self.file("expired.pem"), "--tls-key", Self.file("server.key"), "--check"],
                "expired"
            ),
            (["--tls-certificate", Self.file("server.pem")], "--tls-key"),
            (Self.certificate + ["--tls-client-ca", "/nowhere"], "/nowhere"),
            (Self.certificate + ["--tls-require-client"], "--tls-client-ca"),
        ] {
            let models = ["--models", ReferenceModels.folder("gray-pad").path, "--port", "0"]
            let outcome = try Outcome(ServerProcess.executable("dia-server"), models + arguments)
            #expect(outcome.status != 0 && outcome.errors.contains(part), "\(arguments): \(outcome.errors)")
        }
    }

    @Test("An expired certificate is served with a warning, and a metric reports its expiry")
    func expired() async throws {
        let server = try ServerProcess([
            "--tls-certificate", Self.file("expired.pem"), "--tls-key", Self.file("server.key"),
        ])
        let outcome = try Outcome(python: "tls_client.py", [String(server.port), Self.folder, "expiry"])
        #expect(outcome.output == "ok\n", "\(outcome.output)\(outcome.errors)")
        let log = server.stop().log
        #expect(log.contains("warning") && log.contains("has expired") && log.contains("expired.pem"))
    }

    @Test(
        "The key file maps a client certificate to a name and scopes; without a mapping it has no admin access"
    )
    func mappedClients() async throws {
        let authority = ["--tls-client-ca", Self.file("client-authority.pem"), "--tls-require-client"]
        let unnamed = try ServerProcess(Self.certificate + authority)
        try check("client_unnamed", unnamed)
        #expect(unnamed.stop().status == 0)
        let fingerprint =
            "0F:DA:E5:8F:B5:BE:AE:78:CD:5C:A2:1A:66:F6:8B:7F:93:F4:1C:A2:70:B4:23:D2:32:8D:7A:0F:9F:A7:7F:83"
        for credential in ["subject:\"CN=client\"", "certificate-sha256:\(fingerprint)"] {
            try await withTemporaryFolder { folder in
                let keys = folder.appendingPathComponent("keys")
                // A byte order mark, as editors on Windows leave it.
                try Data("\u{FEFF}sidecar score,admin \(credential)\n".utf8).write(to: keys)
                let named = try ServerProcess(Self.certificate + authority + ["--api-keys", keys.path])
                try check("client_named", named)
                let (status, log) = named.stop()
                #expect(status == 0 && log.contains("key=sidecar") && log.contains("client=127.0.0.1"))
                // A request rejected for its scope is logged with the name too.
                #expect(log.contains("key=sidecar method=GET") && log.contains("status=403"))
            }
        }
    }
}
