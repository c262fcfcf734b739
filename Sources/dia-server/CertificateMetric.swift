import Synchronization
import TLS

/// When the certificate that new connections get expires, as a metric.
final class CertificateMetric: Sendable {
    private let certificate: Mutex<Certificate?>

    /// The metric of `certificate`; without one it has no text.
    init(_ certificate: Certificate?) { self.certificate = Mutex(certificate) }

    /// From now on the metric is that of another certificate.
    func replace(_ certificate: Certificate) { self.certificate.withLock { $0 = certificate } }

    /// The metric in Prometheus' text format.
    var text: String {
        guard let certificate = certificate.withLock({ $0 }) else { return "" }
        let name = "dia_tls_certificate_expiry_timestamp_seconds"
        return "# HELP \(name) When the TLS certificate expires, in seconds since 1970.\n# TYPE \(name) gauge\n"
            + "\(name) \(certificate.notAfter)\n"
    }
}
