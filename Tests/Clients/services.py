"""nginx and HAProxy in front of a dia-server, and Prometheus, which scrapes it."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import debian

sys.path.insert(0, str(debian.ROOT / "Tools"))

import service_process  # noqa: E402

HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend entry
    bind 127.0.0.1:{port}
    default_backend servers
backend servers
    option httpchk GET /readyz
    http-check expect status 200
    server dia 127.0.0.1:{upstream} check inter 200ms
"""

PROMETHEUS = """
scrape_configs:
  - job_name: dia
    scrape_interval: 1s
    static_configs: [{{targets: ["127.0.0.1:{upstream}"]}}]
"""


def nginx(upstream):
    """Starts nginx as a proxy of the port `upstream`."""
    return service_process.nginx(debian.executable("nginx"), upstream, environment=debian.environment())


def haproxy(upstream):
    """Starts HAProxy as a proxy of the port `upstream`, with a health check."""
    command = [debian.executable("haproxy"), "-f", "{file}"]
    return service_process.Service(command, HAPROXY, debian.environment(), upstream=upstream)


def prometheus(upstream):
    """Starts Prometheus, which scrapes the port `upstream` each second."""
    options = ["--config.file={file}", "--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:{port}"]
    command = [debian.executable("prometheus"), *options]
    return service_process.Service(command, PROMETHEUS, debian.environment(), upstream=upstream)


def version(name):
    """Returns the version of a program."""
    option = {"nginx": "-v", "haproxy": "-v"}.get(name, "--version")
    command = [debian.executable(name), option]
    result = subprocess.run(command, env=debian.environment(), capture_output=True, text=True, timeout=60)
    words = (result.stdout + result.stderr).split("\n")[0].replace("nginx/", "").replace(",", "").split()
    return next(word for word in words if word[0].isdigit())


def scraped(service, query, seconds=60):
    """Returns the values of a query, when there are some."""
    url = f"{service.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                result = json.load(response)["data"]["result"]
        except urllib.error.HTTPError:
            # Prometheus accepts connections before it has read its data.
            result = []
        if result:
            return [float(series["value"][1]) for series in result]
        time.sleep(0.1)
    raise AssertionError(f"Prometheus has no series for {query}")
