"""The rules of prometheus-adapter, evaluated by a real Prometheus that scrapes a server."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import yaml

import manifests

sys.path.insert(0, str(manifests.ROOT / "Tools"))

import service_process  # noqa: E402

FOLDER = manifests.FOLDER / "monitoring"
# The labels that relabeling in monitoring/prometheus.yaml sets.
CONFIGURATION = """
scrape_configs:
  - job_name: dia
    scrape_interval: 1s
    authorization: {{credentials: {key}}}
    static_configs: [{{targets: ["127.0.0.1:{upstream}"], labels: {{namespace: dia, pod: dia-server-0}}}}]
"""


def executable(name):
    """Returns the path of a program of Prometheus that is installed, or that setup.sh has unpacked."""
    unpacked = manifests.ROOT / ".build/kubernetes/debian/usr/bin"
    return shutil.which(name, path=f"{os.environ['PATH']}:{unpacked}")


def job_failures(folder):
    """Returns failures unless Prometheus accepts the job, but for the discovery, which Debian's build does not have."""
    configuration = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    for job in configuration["scrape_configs"]:
        del job["kubernetes_sd_configs"]
    path = folder / "prometheus.yaml"
    path.write_text(yaml.safe_dump(configuration))
    command = [executable("promtool"), "check", "config", "--syntax-only", path]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return [] if result.returncode == 0 else [f"monitoring/prometheus.yaml: {result.stdout}{result.stderr}"]


def queries():
    """Returns the series and the query of each rule by the name of its metric, as prometheus-adapter sends it for a pod."""
    values = {"<<.LabelMatchers>>": 'namespace="dia",pod=~"dia-server-0"', "<<.GroupBy>>": "pod"}
    found = {}
    for rule in yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())["rules"]:
        query = rule["metricsQuery"]
        for template, value in values.items():
            query = query.replace(template, value)
        found[rule["name"]["as"]] = (rule["seriesQuery"], query)
    return found


def value(service, query):
    """Returns the labels and the value of the only result of a query; None if there is none or it is not a number."""
    url = f"{service.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(url, timeout=10) as response:
        result = json.load(response)["data"]["result"]
    if len(result) != 1 or result[0]["value"][1] == "NaN":
        return None
    return result[0]["metric"], float(result[0]["value"][1])


def rule_failures(server):
    """Returns failures unless each rule finds its series, is 0 for an idle server, and more than 0 for a busy one."""
    image = (manifests.ROOT / "examples/lesion.png").read_bytes()
    options = ["--config.file={file}", "--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:{port}"]
    failures = []
    with service_process.Service([executable("prometheus"), *options], CONFIGURATION, upstream=server.port,
                                 key=server.key) as prometheus:
        for phase in ("idle", "busy"):
            deadline, missing = time.monotonic() + 60, dict(queries())
            while missing and time.monotonic() < deadline:
                if phase == "busy":
                    server.request("/v1/models/phantom/score", image)
                else:
                    time.sleep(0.2)
                for name, (series, query) in list(missing.items()):
                    try:
                        found = value(prometheus, query)
                        series_found = value(prometheus, series)
                    except OSError:
                        # Prometheus accepts connections before it has read its data.
                        continue
                    if found is None or series_found is None:
                        continue
                    labels, number = found
                    if labels == {"pod": "dia-server-0"} and (number == 0 if phase == "idle" else 0 < number < 10):
                        del missing[name]
                        print(f"{name} is {number:.4f} when the server is {phase}")
            failures += [f"{name} is wrong when the server is {phase}: {query}" for name, (_, query) in missing.items()]
    return failures
