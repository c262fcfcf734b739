import Metrics
import OpenSSL
import Synchronization

/// When the certificate that new connections get expires, as a metric.
final class CertificateMetric: Sendable {
    private let certificate: Mutex<Certificate?>

    /// Registers the metric of `certificate`; without one it is not exported.
    init(_ certificate: Certificate?, _ registry: MetricsRegistry) {
        self.certificate = Mutex(certificate)
        registry.observed(
            "dia_tls_certificate_expiry_timestamp_seconds",
            "When the TLS certificate expires, in seconds since 1970."
        ) { [weak self] in
            self?.certificate.withLock { $0 }.map { [[:]: Double($0.notAfter)] } ?? [:]
        }
    }

    /// From now on the metric is that of another certificate.
    func replace(_ certificate: Certificate) { self.certificate.withLock { $0 = certificate } }
}
