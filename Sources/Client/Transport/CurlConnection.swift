import CCurl
import HTTP

/// One connection of libcurl: the only code that calls it.
///
/// Owns a `dia_curl`; `@safe` because the pointer never leaves the object. `@unchecked Sendable`: libcurl allows the use
/// on one thread after another, and ``CurlTransport`` gives a connection to one thread at a time.
@safe final class CurlConnection: @unchecked Sendable {
    private let handle: OpaquePointer
    private let configuration: CurlTransport.Configuration

    /// Whether the library is initialized, once per process.
    private static let isInitialized = dia_curl_initialize() == 0

    init(_ configuration: CurlTransport.Configuration) throws(ClientError) {
        guard Self.isInitialized, let created = unsafe dia_curl_open() else {
            throw .cannotConnect("libcurl cannot be initialized")
        }
        unsafe handle = created
        self.configuration = configuration
        unsafe dia_curl_set_authority(created, configuration.authority)
        unsafe dia_curl_set_certificate(created, configuration.certificate, configuration.certificateKey)
    }

    deinit { unsafe dia_curl_close(handle) }

    func send(_ request: ServiceRequest) throws(ClientError) -> Response {
        let query = request.query.isEmpty ? "" : "?\(request.query)"
        unsafe dia_curl_begin(handle, "\(configuration.address)\(request.path)\(query)")
        if let method = request.method { unsafe dia_curl_set_method(handle, method) }
        for field in request.headers.fields {
            guard unsafe dia_curl_add_field(handle, "\(field.name): \(field.value)") == 0 else {
                throw .cannotConnect("out of memory")
            }
        }
        var message = [CChar](repeating: 0, count: Int(DIA_CURL_MESSAGE))
        let failure = perform(request, &message)
        let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try check(failure, Problem.printable(text), request)
        return response()
    }

    private func perform(_ request: ServiceRequest, _ message: inout [CChar]) -> dia_curl_failure {
        let connect = Self.milliseconds(min(configuration.connectSeconds, configuration.seconds))
        let total = Self.milliseconds(configuration.seconds)
        func call(_ body: UnsafePointer<UInt8>?, _ size: Int) -> dia_curl_failure {
            unsafe dia_curl_perform(handle, body, size, connect, total, request.maximumResponse, &message)
        }
        guard let body = request.body else { return call(nil, 0) }
        // An empty array may have no address, which would mean no body.
        guard !body.isEmpty else { return unsafe call([0], 0) }
        return unsafe body.withUnsafeBufferPointer { unsafe call($0.baseAddress, $0.count) }
    }

    private static func milliseconds(_ seconds: Double) -> Int { Int((max(0.001, min(seconds, 1e6)) * 1000).rounded()) }

    private func check(
        _ failure: dia_curl_failure,
        _ message: String,
        _ request: ServiceRequest
    ) throws(ClientError) {
        switch failure {
        case DIA_CURL_OK: return
        case DIA_CURL_CONNECT: throw .cannotConnect("\(configuration.address): \(message)")
        case DIA_CURL_TLS: throw .tls("\(configuration.address): \(message)\(tlsAdvice(message))")
        case DIA_CURL_TIMEOUT: throw .timeout(seconds: configuration.seconds)
        case DIA_CURL_TOO_LARGE: throw .invalidResponse("it has more than \(request.maximumResponse) bytes")
        case DIA_CURL_INVALID: throw .invalidResponse(message)
        default: throw .connectionLost(message)
        }
    }

    private func tlsAdvice(_ message: String) -> String {
        if message.contains("certificate required") {
            return "; the server asks for a client certificate: --certificate and --certificate-key"
        }
        guard message.contains("unable to get local issuer") || message.contains("self-signed") else { return "" }
        return configuration.authority == nil
            ? "; name the certificate authority with --ca" : "; --ca has another certificate authority"
    }

    /// Copies the response of the last request.
    private func response() -> Response {
        var (headSize, bodySize) = (0, 0)
        let head = unsafe dia_curl_head(handle, &headSize)
        let body = unsafe dia_curl_body(handle, &bodySize)
        let text = unsafe String(decoding: UnsafeRawBufferPointer(start: head, count: headSize), as: UTF8.self)
        var headers: HeaderFields = [:]
        for line in text.split(separator: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers.append(String(parts[0]), parts[1].trimmed)
        }
        let bytes = unsafe Array(UnsafeBufferPointer(start: body, count: bodySize))
        return Response(unsafe dia_curl_status(handle), headers: headers, body: bytes)
    }
}
