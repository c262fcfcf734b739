#!/usr/bin/env python3
"""Tests the alert rules of deploy/prometheus: with promtool, and with a real Prometheus that scrapes a dia-server.

The live part shortens all times of the rules to a 30th and provokes incidents: invalid requests, a broken model, a certificate
that expires soon, overload, other images than those of the calibration, SIGKILL and a restart. Each alert must fire on the
first incident and clear. The argument "live" leaves out promtool. It takes about five minutes.
"""

import http.client
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402

TESTS = pathlib.Path(__file__).parent
RULES = ROOT / "deploy/prometheus"
UNPACKED = ROOT / ".build/alerts/debian/usr/bin"
FASTER = 30
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def program(name):
    return shutil.which(name) or str(UNPACKED / name)


def rules_text():
    return {file.name: file.read_text() for file in sorted(RULES.glob("*.rules.yml"))}


def check_files():
    """Checks that rules, their tests and the guide have the same alerts."""
    text = "".join(rules_text().values())
    alerts = re.findall(r"alert: (\w+)", text)
    assert len(alerts) == len(set(alerts)), "an alert is defined twice"
    guide = (ROOT / "docs/alerts.md").read_text()
    assert set(re.findall(r"^### (\w+)$", guide, re.MULTILINE)) == set(alerts), "docs/alerts.md has other alerts"
    for alert in alerts:
        assert f"runbook: docs/alerts.md#{alert.lower()}\n" in text, f"{alert} has no link to its description"
    files = [file.read_text() for file in TESTS.glob("*.test.yml")]
    every = [block for text in files for block in re.split(r"(?m)^(?=  - name: )", text)[1:]]
    for alert in alerts:
        blocks = [block for block in every if re.search(rf"name: .*\b{alert}\b", block)]
        assert blocks, f"{alert} has no test"
        # It can be an anchor of another test.
        assert f'alertname="{alert}"' in "".join(files), f"no test expects {alert}"
        assert any(block.rstrip().endswith("exp_samples: []}") for block in blocks), f"no test ends without {alert}"
    print(f"{len(alerts)} alerts, each with a description and a test")


def check_with_promtool():
    subprocess.run([program("promtool"), "check", "config", RULES / "prometheus.yml"], check=True, stdout=subprocess.DEVNULL)
    for file in sorted(TESTS.glob("*.test.yml")):
        subprocess.run([program("promtool"), "test", "rules", file.name], cwd=TESTS, check=True)


def shortened(text):
    """Divides all times of rules by FASTER, but not those that are compared with the age of certificates and models."""
    def duration(match):
        return f"{max(1, int(match[1]) * UNITS[match[2]] // FASTER)}s"

    lines = []
    for line in text.splitlines():
        if re.match(r"\s*(for|interval): ", line):
            line = re.sub(r"(\d+)([smhd])\b", duration, line)
        line = re.sub(r"(?<=\[)(\d+)([smhd])(?=\])", duration, line)
        line = re.sub(r"(?<=offset )(\d+)([smhd])", duration, line)
        line = re.sub(r"(process_start_time_seconds < )(\d+)", lambda m: f"{m[1]}{int(m[2]) // FASTER}", line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def free_port():
    """Returns a port that is free: Prometheus cannot choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Prometheus:
    """A Prometheus on the loopback interface that scrapes `port` every half second."""

    CONFIGURATION = """
global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: dia-server
    scheme: https
    tls_config: {{insecure_skip_verify: true}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""

    def __init__(self, folder, port):
        (folder / "rules.yml").write_text(shortened(rules_text()["dia-server.rules.yml"]))
        (folder / "prometheus.yml").write_text(self.CONFIGURATION.format(port=port))
        self.port = free_port()
        self.process = subprocess.Popen(
            [program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=(folder / "prometheus.log").open("w"),
        )

    def query(self, expression):
        """Returns the labels and values of an instant query."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(url, timeout=10) as response:
            return [(entry["metric"], float(entry["value"][1])) for entry in json.load(response)["data"]["result"]]

    def firing(self):
        return {labels["alertname"] for labels, _ in self.query('ALERTS{alertstate="firing"}')}

    def wait(self, condition, what, seconds=240):
        """Waits until `condition` holds for the firing alerts."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                firing = self.firing()
                if condition(firing):
                    return firing
            except OSError:
                firing = "no answer"
            assert time.monotonic() < deadline, f"{what}; firing: {firing}"
            time.sleep(0.25)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Live:
    """A dia-server with a certificate and a copy of a model."""

    def __init__(self, folder):
        self.folder = folder
        self.models = folder / "models"
        shutil.copytree(dia_testing.MODELS / "phantom", self.models / "phantom")
        self.port = free_port()
        self.certificate(365)
        self.server = None
        self.start()

    def start(self):
        self.server = dia_testing.Server(
            "--tls-certificate", self.folder / "cert.pem", "--tls-key", self.folder / "key.pem", "--queue", "8",
            models=self.models, port=self.port,
        )

    def certificate(self, days):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.folder / "key.pem", "-out",
             self.folder / "cert.pem", "-days", str(days), "-subj", "/CN=localhost"],
            check=True, stderr=subprocess.DEVNULL,
        )

    def reload(self):
        self.server.process.send_signal(1)

    def post(self, path, body, kind="image/png"):
        """Returns the status of a request."""
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        connection.request("POST", path, body, {"Content-Type": kind})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status

    def load(self, image, count, threads=1):
        """Posts `image` `count` times from several connections; returns the statuses."""
        statuses = []
        def work():
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
            for _ in range(count // threads):
                connection.request("POST", "/v1/score", image, {"Content-Type": "image/png"})
                response = connection.getresponse()
                response.read()
                statuses.append(response.status)
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return statuses


def incidents(live, prometheus):
    """Provokes incidents one after the other, and checks which alerts fire and that they clear."""
    normal = (ROOT / "examples/normal.png").read_bytes()
    quiet = set()

    def clear(what, ignoring=frozenset()):
        prometheus.wait(lambda firing: firing - ignoring == quiet, f"after {what} an alert does not clear")

    def fires(what, *alerts):
        prometheus.wait(lambda firing: set(alerts) <= firing, f"{what}: {', '.join(alerts)} does not fire")
        print(f"{what}: {', '.join(alerts)}")

    prometheus.wait(lambda firing: prometheus.query('up{job="dia-server"} == 1') != [], "the server is not scraped")
    # Too few for DiaDrift: the same image again and again is not like the calibration images.
    live.load(normal, 8)
    clear("the start")
    check_dashboard(prometheus)
    assert {live.post("/v1/score", b"no image") for _ in range(30)} == {400}
    assert live.post("/nowhere", b"") == 404
    time.sleep(5)
    assert prometheus.firing() == quiet, f"invalid requests: {prometheus.firing()}"
    print("invalid requests: none")

    weights = live.models / "phantom/unet.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-4] + b"\0\0\0\1")
    assert live.post("/v1/models/phantom/reload", b"") in (422, 500)
    fires("a broken model at a reload", "DiaReloadFailed")
    weights.write_bytes(good)
    assert live.post("/v1/models/phantom/reload", b"") == 200
    clear("the broken model")

    (live.folder / "cert.pem").rename(live.folder / "good.pem")
    (live.folder / "cert.pem").write_text("no certificate")
    live.reload()
    fires("a broken certificate at SIGHUP", "DiaReloadFailed")
    (live.folder / "good.pem").rename(live.folder / "cert.pem")
    clear("the broken certificate")

    live.certificate(1)
    live.reload()
    fires("a certificate for one day", "DiaCertificateExpiresSoon", "DiaCertificateExpires")
    live.certificate(365)
    live.reload()
    clear("the certificate")

    statuses = []
    overload = threading.Thread(target=lambda: statuses.extend(live.load(normal, 400, threads=40)))
    overload.start()
    fires("overload", "DiaQueueFull")
    overload.join()
    assert 503 in statuses, f"the queue was not full: {set(statuses)}"
    fires("the same image 400 times", "DiaDrift")
    dark = dia_testing.gray_png(128, 128, bytes(128 * 128))
    live.load(dark, 120, threads=2)
    fires("black images", "DiaAtypicalInput")
    # A model with other files begins without counts.
    manifest = live.models / "phantom/model.json"
    manifest.write_text(manifest.read_text().replace('"2.0.0"', '"2.0.1"'))
    assert live.post("/v1/models/phantom/reload", b"") == 200
    clear("other images", {"DiaAnomalousShare"})

    live.server.kill()
    fires("SIGKILL", "DiaTargetDown")
    live.start()
    fires("a restart", "DiaRestarted")
    clear("the restart", {"DiaAnomalousShare"})


def check_metrics(prometheus):
    """Checks that the server exports every metric that the rules and the dashboard use."""
    text = rules_text()["dia-server.rules.yml"]
    # Names with a colon are those of recording rules.
    names = set(re.findall(r"(?<![:\w/])((?:dia|process)_\w+)(?![\w:])", re.sub(r"(?m)^ *(#|runbook|summary).*$", "", text)))
    known = {labels["__name__"] for labels, _ in prometheus.query('{job="dia-server"}')}
    missing = {name for name in names if name not in known}
    assert not missing, f"the rules use metrics that the server does not export: {sorted(missing)}"
    print(f"{len(names)} metrics of the rules are exported")


def check_dashboard(prometheus):
    """Checks the dashboard of Grafana: panels do not overlap, and their expressions have results for a loaded server."""
    dashboard = json.loads((ROOT / "deploy/grafana/dia-server.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels), "two panels have the same ID"
    cells = set()
    for panel in panels:
        place = panel["gridPos"]
        own = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not own & cells and place["x"] + place["w"] <= 24, f"the panel '{panel['title']}' overlaps another"
        cells |= own
    expressions = [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", [])]
    for title, expression in expressions:
        expression = expression.replace("$job", ".+").replace("$instance", ".+")
        assert prometheus.query(expression), f"the panel '{title}' has no result: {expression}"
    print(f"{len(expressions)} expressions of the dashboard have results")


def main():
    check_files()
    if sys.argv[1:] != ["live"]:
        check_with_promtool()
    with tempfile.TemporaryDirectory(prefix="dia-alerts-") as name:
        folder = pathlib.Path(name)
        live = Live(folder)
        prometheus = Prometheus(folder, live.port)
        try:
            prometheus.wait(lambda _: prometheus.query("dia_score_count") != [], "the server is not scraped")
            check_metrics(prometheus)
            incidents(live, prometheus)
        finally:
            prometheus.stop()
            live.server.kill()
    print("ok")


main()
