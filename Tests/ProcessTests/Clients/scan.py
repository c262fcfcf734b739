"""Scans the TLS configuration of localhost:PORT with sslyze (from PyPI).

scan.py PORT: prints "ok" or the problems.
"""

import sys

from sslyze import ScanCommandAttemptStatusEnum, Scanner, ServerNetworkLocation, ServerScanRequest
from sslyze.mozilla_tls_profile.mozilla_config_checker import (
    MozillaTlsConfigurationChecker, MozillaTlsConfigurationEnum, ServerNotCompliantWithMozillaTlsConfiguration,
)

scanner = Scanner()
scanner.queue_scans([ServerScanRequest(ServerNetworkLocation("localhost", int(sys.argv[1])))])
(result,) = scanner.get_results()
assert result.scan_result, f"cannot connect: {result.connectivity_error_trace}"
found = result.scan_result
wrong = [
    name
    for name in ("certificate_info", "tls_1_2_cipher_suites", "tls_1_3_cipher_suites", "heartbleed", "robot",
                 "openssl_ccs_injection", "session_renegotiation", "tls_compression", "tls_fallback_scsv",
                 "elliptic_curves", "session_resumption", "tls_1_3_early_data")
    if getattr(found, name).status != ScanCommandAttemptStatusEnum.COMPLETED
]
wrong += [] if not found.heartbleed.result.is_vulnerable_to_heartbleed else ["Heartbleed"]
wrong += [] if not found.openssl_ccs_injection.result.is_vulnerable_to_ccs_injection else ["CCS injection"]
wrong += [] if "NOT_VULNERABLE" in found.robot.result.robot_result.name else ["ROBOT"]
wrong += [] if not found.tls_compression.result.supports_compression else ["compression"]
wrong += [] if found.tls_fallback_scsv.result.supports_fallback_scsv else ["no TLS_FALLBACK_SCSV"]
wrong += [] if not found.session_renegotiation.result.is_vulnerable_to_client_renegotiation_dos else ["renegotiation"]
wrong += [] if not found.tls_1_3_early_data.result.supports_early_data else ["early data"]
try:
    checker = MozillaTlsConfigurationChecker.get_default()
    checker.check_server(MozillaTlsConfigurationEnum.INTERMEDIATE, result)
except ServerNotCompliantWithMozillaTlsConfiguration as error:
    # The test certificates are intentionally valid for a long time.
    wrong += [f"{k}: {v}" for k, v in error.issues.items() if k != "maximum_certificate_lifespan"]
print("\n".join(wrong) or "ok")
