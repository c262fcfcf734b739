/// The value of an option.
enum OptionValue: Encodable {
    case text(String?)
    case number(Int)
    case flag(Bool)

    /// The value for people; "none" if an optional value is not set.
    var description: String {
        switch self {
        case .text(let text): text.map { $0.isEmpty ? "none" : $0 } ?? "none"
        case .number(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text.flatMap { $0.isEmpty ? nil : $0 })
        case .number(let number): try container.encode(number)
        case .flag(let flag): try container.encode(flag)
        }
    }
}

extension ServerOptions {
    /// An option that can also be set in the environment and in the configuration file.
    struct Named: Sendable {
        /// The name without dashes at its start.
        let name: String
        /// Whether it is a flag, whose value is true or false.
        let isFlag: Bool
        let value: @Sendable (ServerOptions) -> OptionValue

        fileprivate static func text(_ name: String, _ value: @escaping @Sendable (ServerOptions) -> String?) -> Self {
            Self(name: name, isFlag: false) { .text(value($0)) }
        }

        fileprivate static func number(_ name: String, _ value: @escaping @Sendable (ServerOptions) -> Int) -> Self {
            Self(name: name, isFlag: false) { .number(value($0)) }
        }

        fileprivate static func flag(_ name: String, _ value: @escaping @Sendable (ServerOptions) -> Bool) -> Self {
            Self(name: name, isFlag: true) { .flag(value($0)) }
        }
    }

    /// All options but `--config` and `--check`.
    static let named: [Named] = [
        .text("models") { $0.models }, .flag("skip-broken-models") { $0.skipBrokenModels },
        .text("default-model") { $0.defaultModel }, .text("host") { $0.host }, .number("port") { Int($0.port) },
        .number("threads") { $0.threads }, .number("batch") { $0.batch }, .number("queue") { $0.queue },
        .number("busy-status") { $0.busyStatus }, .number("timeout-seconds") { $0.timeoutSeconds },
        .number("max-body-bytes") { $0.maxBodyBytes }, .number("max-pixels") { $0.maxPixels },
        .number("max-connections") { $0.maxConnections },
        .number("max-connections-per-address") { $0.maxConnectionsPerAddress },
        .number("max-held-bytes") { $0.maxHeldBytes }, .text("trusted-proxies") { $0.trustedProxies },
        .flag("no-log-client-address") { $0.noLogClientAddress }, .number("head-seconds") { $0.headSeconds },
        .number("body-seconds") { $0.bodySeconds }, .number("write-seconds") { $0.writeSeconds },
        .number("request-seconds") { $0.requestSeconds }, .number("idle-seconds") { $0.idleSeconds },
        .number("drain-delay-seconds") { $0.drainDelaySeconds }, .number("drain-seconds") { $0.drainSeconds },
        .text("tls-certificate") { $0.tlsCertificate }, .text("tls-key") { $0.tlsKey },
        .text("tls-client-ca") { $0.tlsClientCa }, .flag("tls-require-client") { $0.tlsRequireClient },
        .text("api-keys") { $0.apiKeys }, .flag("without-keys") { $0.withoutKeys },
        .text("cors-origins") { $0.corsOrigins }, .text("log-format") { "\($0.logFormat)" },
        .text("log-level") { "\($0.logLevel)" },
    ]
}
