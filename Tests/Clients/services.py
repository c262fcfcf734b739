"""nginx and HAProxy in front of a dia-server, and Prometheus, which scrapes it."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import debian

NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 32m;
        location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
    }}
}}
"""

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
    return debian.Service("nginx", ["-p", "{folder}", "-e", "{folder}/error.log", "-c", "{file}"], NGINX, upstream)


def haproxy(upstream):
    """Starts HAProxy as a proxy of the port `upstream`, with a health check."""
    return debian.Service("haproxy", ["-f", "{file}"], HAPROXY, upstream)


def prometheus(upstream):
    """Starts Prometheus, which scrapes the port `upstream` each second."""
    command = ["--config.file={file}", "--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:{port}"]
    return debian.Service("prometheus", command, PROMETHEUS, upstream)


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
