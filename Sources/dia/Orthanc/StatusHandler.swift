import HTTP
import HTTPServer
import Metrics
import Orthanc

/// Answers requests for the metrics and the health of the sidecar.
struct StatusHandler: RequestHandler {
    let registry: MetricsRegistry
    let metrics: SidecarMetrics

    func admit(_ head: RequestHead, from peer: Peer) -> HeadDecision {
        guard head.method == "GET" || head.method == "HEAD" else { return .respond(text(405, "only GET is allowed")) }
        switch head.path {
        case "/metrics": return .respond(text(200, registry.text, type: "text/plain; version=0.0.4; charset=utf-8"))
        case "/healthz": return .respond(text(200, "ok"))
        case "/readyz": return .respond(metrics.isReady ? text(200, "ready") : text(503, "not ready"))
        default: return .respond(text(404, "there are /metrics, /healthz and /readyz"))
        }
    }

    func errorResponse(for error: RequestError, from peer: Peer) -> Response { text(error.status, error.reason) }

    private func text(_ status: Int, _ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(status, contentType: type, body: Array("\(text)\n".utf8))
    }
}
