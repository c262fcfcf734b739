import Metrics
import OpenSSL
import Synchronization

/// Metric of the expiry time of the certificate for new connections.
final class CertificateMetric: Sendable {
    private let certificate: Mutex<Certificate?>

    /// Registers the metric of `certificate`; if it is nil, nothing is exported.
    init(_ certificate: Certificate?, _ registry: MetricsRegistry) {
        self.certificate = Mutex(certificate)
        registry.observed(
            "dia_tls_certificate_expiry_timestamp_seconds",
            "Expiry time of the TLS certificate in seconds since 1970."
        ) { [weak self] in
            self?.certificate.withLock { $0 }.map { [[:]: Double($0.notAfter)] } ?? [:]
        }
    }

    /// Replaces the certificate of the metric.
    func replace(_ certificate: Certificate) { self.certificate.withLock { $0 = certificate } }
}
