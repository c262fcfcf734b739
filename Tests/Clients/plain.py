"""HTTP clients and proxies: scores one image with each of them, and compares the score with the one that curl gets."""

import json
import pathlib
import subprocess
import urllib.request

import debian
import services

FOLDER = pathlib.Path(__file__).resolve().parent
BUILD = debian.ROOT / ".build/clients"
IMAGE = debian.ROOT / "examples/lesion.png"
MODEL = "phantom"


def commands():
    """Returns the command of each client, without the URL and the image."""
    return {
        "requests, httpx, aiohttp": [BUILD / "http/bin/python", FOLDER / "http_clients.py"],
        "node": ["node", FOLDER / "fetch.mjs"],
        "java": ["java", FOLDER / "Client.java"],
        "go": [BUILD / "go-client"],
    }


def build_go():
    """Compiles the client in Go."""
    environment = debian.environment() | {"GO111MODULE": "off", "GOCACHE": str(BUILD / "go-cache"), "CGO_ENABLED": "0"}
    unpacked = debian.UNPACKED / "usr/lib/go-1.19"
    if debian.executable("go").startswith(str(unpacked)):
        environment["GOROOT"] = str(unpacked)
    command = [debian.executable("go"), "build", "-o", BUILD / "go-client", FOLDER / "client.go"]
    subprocess.run(command, env=environment, check=True, timeout=600)


def curl(url, *options):
    """Returns the response that curl gets to the image."""
    command = ["curl", "--silent", "--show-error", "--fail", *options, url]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout


def comparable(score):
    """Returns the score object without the ID of the request."""
    return {**score, "request_id": None}


def check(name, found, expected):
    """Compares score objects, which must be equal except for the ID of the request."""
    assert comparable(found) == comparable(expected), f"{name}: {found} is not {expected}"
    print(f"  {name}: score {found['score']:.4f}, the same object as with curl", flush=True)


def check_clients(url, expected):
    """Runs the HTTP clients; returns the names of those that fail."""
    version = subprocess.run(["curl", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[1]
    check(f"curl {version}: form", json.loads(curl(url, "--form", f"image=@{IMAGE};type=image/png")), expected)
    result = json.loads(curl(url, "--data-binary", f"@{IMAGE}"))
    check(f"curl {version}: --data-binary without a type", result, expected)
    failures = []
    build_go()
    for name, command in commands().items():
        result = subprocess.run(
            [str(part) for part in [*command, url, IMAGE]], stdout=subprocess.PIPE, text=True, timeout=300
        )
        if result.returncode != 0:
            failures.append(name)
        for line in result.stdout.splitlines():
            client, way, text = line.split("\t")
            check(f"{client}: {way}", json.loads(text), expected)
    return failures


def check_proxy(name, start, port, expected):
    """Scores the image through a proxy: as a body, in a form, and in a batch whose lines are passed on."""
    with start(port) as proxy:
        url = f"{proxy.url}/v1/models/{MODEL}"
        wait_until_ready(proxy.url)
        name = f"{name} {services.version(name)}"
        options = ["--header", "Content-Type: image/png", "--data-binary", f"@{IMAGE}"]
        check(f"{name}: body", json.loads(curl(f"{url}/score", *options)), expected)
        options += ["--header", "Transfer-Encoding: chunked"]
        check(f"{name}: chunked", json.loads(curl(f"{url}/score", *options)), expected)
        check(f"{name}: form", json.loads(curl(f"{url}/score", "--form", f"image=@{IMAGE}")), expected)
        parts = ["--form", f"image=@{IMAGE}"] * 3
        lines = [json.loads(line) for line in curl(f"{url}/batch", *parts).splitlines()]
        assert [line["index"] for line in lines] == [0, 1, 2]
        for line in lines:
            check(f"{name}: line {line['index']} of a batch", line["result"], expected)


def wait_until_ready(url):
    """Returns when the proxy has found the server healthy: until then HAProxy answers with 503."""
    curl(f"{url}/readyz", "--retry", "30", "--retry-delay", "1")


def check_prometheus(port, expected):
    """Compares a counter that Prometheus has scraped with the number of requests."""
    url = f"http://127.0.0.1:{port}"
    with services.prometheus(port) as prometheus:
        assert services.scraped(prometheus, 'up{job="dia"} == 1') == [1]
        model = services.scraped(prometheus, f'dia_model_info{{model="{MODEL}"}}')
        assert model == [1], model
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as response:
            text = response.read()
        promtool = subprocess.run(
            [debian.executable("promtool"), "check", "metrics"], input=text, env=debian.environment(), timeout=60
        )
        assert promtool.returncode == 0, "promtool check metrics"
        names = {line.split("{")[0].split(" ")[0] for line in text.decode().splitlines() if line[:4] == "dia_"}
        version = services.version("prometheus")
        print(f"  prometheus {version}: scraped, {len(names)} names, promtool has no complaint", flush=True)


def failures(port):
    """Runs everything against the server on `port`; returns the names of what fails."""
    url = f"http://127.0.0.1:{port}/v1/models/{MODEL}/score"
    expected = json.loads(curl(url, "--header", "Content-Type: image/png", "--data-binary", f"@{IMAGE}"))
    print(f"curl: score {expected['score']:.4f}")
    failures = check_clients(url, expected)
    check_proxy("nginx", services.nginx, port, expected)
    check_proxy("haproxy", services.haproxy, port, expected)
    check_prometheus(port, expected)
    return failures
