import Foundation
import HTTP

/// Calls of the service's API, with repetitions.
public struct ServiceClient: Sendable {
    /// Parameters of a query, in order.
    public typealias Parameters = [(name: String, value: String)]

    /// The names of the calls that return an image.
    public enum Picture: String, Sendable {
        /// Copies of the image with fine detail removed.
        case dissolve
        /// The image, with anomalous regions marked.
        case heatmap
    }

    private let transport: any Transport
    private let key: APIKey?
    private let policy: RetryPolicy
    /// The time that the server may take for a request, in seconds.
    private let serverSeconds: Double
    private let pause: @Sendable (Double) -> Void
    /// Seconds on a clock that only advances.
    private let clock: @Sendable () -> Double

    /// Creates a client whose requests take at most `seconds` each.
    ///
    /// `pause` waits the number of seconds that it is given, by default by blocking the thread. `clock` returns seconds
    /// from any start.
    public init(
        _ transport: any Transport,
        key: APIKey? = nil,
        seconds: Double = 60,
        policy: RetryPolicy = RetryPolicy(),
        clock: (@Sendable () -> Double)? = nil,
        pause: (@Sendable (Double) -> Void)? = nil
    ) {
        self.transport = transport
        self.key = key
        self.policy = policy
        // A little less, so that the server's own message arrives.
        serverSeconds = seconds * 0.95
        self.clock = clock ?? { ProcessInfo.processInfo.systemUptime }
        self.pause = pause ?? { Thread.sleep(forTimeInterval: $0) }
    }

    /// Returns the models, and the list as the service sent it.
    ///
    /// A server that is starting has none yet; it is waited for.
    public func models() throws(ClientError) -> (models: [ModelSummary], json: [UInt8]) {
        var policy = policy
        // The first call of a run: an address that is wrong is found soon.
        policy.connectionAttempts = min(policy.connectionAttempts, 3)
        return try repeated(policy) { () throws(ClientError) in
            let (models, json) = try listedModels()
            guard models.isEmpty else { return (models, json) }
            throw .problem(Problem(status: 503, detail: "the server has loaded no models", retryAfter: 1))
        }
    }

    private func listedModels() throws(ClientError) -> (models: [ModelSummary], json: [UInt8]) {
        struct List: Decodable { let models: [ModelSummary] }
        let response = try send(ServiceRequest(path: "/v1/models"), policy: .never)
        try Self.require("application/json", response)
        do {
            let list = try JSONDecoder().decode(List.self, from: Data(response.body))
            return (list.models, response.body)
        } catch {
            throw .invalidResponse("/v1/models is not a list of models; is --url the address of a dia-server?")
        }
    }

    /// Returns the model named `name`, or the default model; throws a message for the user if there is none.
    public func model(_ name: String?) throws -> ModelSummary {
        let models = try models().models
        let known = models.map(\.name).joined(separator: ", ")
        if let name {
            guard let model = models.first(where: { $0.name == name }) else {
                throw UnknownModel(description: "there is no model '\(name)'; the models are \(known)")
            }
            return model
        }
        guard let model = models.first(where: \.isDefault) ?? (models.count == 1 ? models[0] : nil) else {
            throw UnknownModel(description: "there is no default model; use --model with one of \(known)")
        }
        return model
    }

    /// A model that the service does not have.
    public struct UnknownModel: Error, CustomStringConvertible {
        /// The message for the user.
        public let description: String
    }

    /// Returns the text of the service's readiness check, without repetitions; throws if it is not ready.
    public func health() throws(ClientError) -> String {
        let response = try send(ServiceRequest(path: "/readyz"), policy: .never)
        return Problem.printable(String(decoding: response.body, as: UTF8.self)).trimmed
    }

    /// Returns the score of a PNG file by the model named `model`.
    public func score(_ file: [UInt8], model: String, _ parameters: Parameters) throws(ClientError) -> ScoreAnswer {
        let response = try send(Self.request("score", file, model, parameters))
        try Self.require("application/json", response)
        do {
            return try ScoreAnswer(response.body)
        } catch {
            throw .invalidResponse("it is not a score object")
        }
    }

    /// Returns a PNG file made from another by the model named `model`.
    public func picture(
        _ picture: Picture,
        of file: [UInt8],
        model: String,
        _ parameters: Parameters
    ) throws(ClientError) -> [UInt8] {
        var request = Self.request(picture.rawValue, file, model, parameters)
        request.maximumResponse = 1 << 30
        let response = try send(request)
        try Self.require("image/png", response)
        guard response.body.starts(with: InputKind.pngSignature) else {
            throw .invalidResponse("it is not a PNG file")
        }
        return response.body
    }

    private static func request(
        _ call: String,
        _ file: [UInt8],
        _ model: String,
        _ parameters: Parameters
    ) -> ServiceRequest {
        var request = ServiceRequest(path: "/v1/models/\(encoded(model))/\(call)")
        request.query = parameters.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
        request.headers = ["Content-Type": "image/png"]
        request.body = file
        return request
    }

    /// Returns `text` percent-encoded for a path segment or a query (RFC 3986, section 2.3).
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": result.unicodeScalars.append(scalar)
            default: result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
    }

    private static func require(_ type: String, _ response: Response) throws(ClientError) {
        let received = MediaType.of(response)
        guard received != type else { return }
        let name = received.isEmpty ? "no type" : "the type \(Problem.printable(received))"
        throw .invalidResponse("it has \(name), not \(type); is --url the address of a dia-server?")
    }

    /// Returns the response to `request` with status 200, after repetitions by `policy`.
    private func send(_ request: ServiceRequest, policy: RetryPolicy? = nil) throws(ClientError) -> Response {
        var request = request
        request.headers.append("User-Agent", "dia")
        request.headers.append("Accept", request.path.hasPrefix("/readyz") ? "*/*" : "application/json, image/png")
        request.headers.append("X-Request-Timeout", serverSeconds.formatted)
        if let key { request.headers.append("Authorization", "Bearer \(key.secret)") }
        return try repeated(policy ?? self.policy) { () throws(ClientError) in try attempt(request) }
    }

    /// Returns the result of `work`, which is repeated by `policy`.
    private func repeated<Result>(
        _ policy: RetryPolicy,
        _ work: () throws(ClientError) -> Result
    ) throws(ClientError) -> Result {
        var schedule = RetrySchedule(policy)
        let start = clock()
        while true {
            do {
                return try work()
            } catch {
                let random = Double.random(in: 0...1)
                switch schedule.decision(after: error, elapsed: clock() - start, random: random) {
                case .giveUp: throw error
                case .wait(let seconds): pause(seconds)
                }
            }
        }
    }

    private func attempt(_ request: ServiceRequest) throws(ClientError) -> Response {
        let response = try transport.send(request)
        guard response.status != 200 else { return response }
        var problem = Problem(response, now: Date().timeIntervalSince1970)
        if problem.status == 401 {
            problem.advice = key.map { "the server does not accept \($0)" } ?? "name a file with a key: --key-file"
        } else if problem.status == 403, let key {
            problem.advice = "the server does not allow this with \(key)"
        }
        throw .problem(problem)
    }
}
