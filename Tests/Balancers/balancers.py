#!/usr/bin/env python3
"""Tests that no request is lost behind HAProxy and nginx, with the configurations in deploy/haproxy and deploy/nginx.

    balancers.py [--rounds 2]     writes docs/results/balancers.md; exits 1 if a check fails

Three servers run behind a balancer. Clients send small images, images of 16 MB and batches, while servers are killed
(SIGKILL), paused (SIGSTOP) for less and for more than the timeout of the balancer, restarted one after the other (SIGTERM)
and reloaded (SIGHUP). Every request must have status 200 and the score of its own image. Then the servers are killed with a
configuration that does not repeat requests. Some requests must fail, or the test would not notice a loss.
"""

import argparse
import http.client
import os
import pathlib
import statistics
import sys
import tempfile
import time

import cluster
import dia_testing
import load
import proxies
import rejections

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["small", "of 16 MB", "in batches"]


def show(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def check_streaming(port, image):
    """Returns a failure unless the first line of a batch arrives before its second image is sent."""
    boundary = b"--b\r\nContent-Disposition: form-data; name=image; filename=a.png\r\nContent-Type: image/png\r\n\r\n"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def send(data):
        connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    try:
        connection.putrequest("POST", load.BATCH)
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        send(boundary + image + b"\r\n" + boundary)
        response = connection.getresponse()
        first = response.readline()
        send(image + b"\r\n--b--\r\n")
        connection.send(b"0\r\n\r\n")
        second = response.read()
        return [] if b"result" in first and b"result" in second else [f"a streamed batch: {first} {second}"]
    except (OSError, http.client.HTTPException) as error:
        return [f"the lines of a batch are held back: {type(error).__name__} {error}"]
    finally:
        connection.close()


def check_client_address(port, image, log):
    """Returns a failure unless the server logs the address of the client, and not the one that the client claims."""
    load.post(port, image, headers={"X-Forwarded-For": "203.0.113.7"}, source="127.0.0.9")
    deadline = time.monotonic() + 10
    while "127.0.0.9" not in log.read_text():
        if time.monotonic() > deadline:
            return ["the address of the client is not in the log of the server"]
        time.sleep(0.05)
    return ["the log has an address that the client made up"] if "203.0.113.7" in log.read_text() else []


def check_one_server_paths(port):
    """Returns failures unless requests that concern one server are rejected by the balancer."""
    paths = ["/v1/models/phantom/reload", "/v1/reload", "/v1/verify", "/v2/repository/models/phantom/load", "/metrics"]
    statuses = {path: load.post(port, b"", path)[0].status for path in paths}
    return [f"{path}: status {status}, expected 403" for path, status in statuses.items() if status != 403]


def check_without_servers(port, image):
    """Returns a failure unless a request gets 503 with Retry-After when no server runs."""
    response, text = load.post(port, image, timeout=60)
    if response.status != 503 or not response.getheader("Retry-After"):
        return [f"without a server: status {response.status}, {response.getheaders()}, {text[:200]}"]
    return []


def run(kind, rounds, folder):
    """Tests one balancer and returns a row of the table with numbers and failures."""
    log = folder / f"{kind.name}.log"
    with open(log, "w") as file:
        servers = cluster.Cluster(file)
        try:
            images = load.Images(servers.ports[0])
            rejected = rejections.check(kind, images.small[0])
            with kind(servers.ports) as balancer:
                show(f"{kind.title}: without faults")
                failures = rejected + check_streaming(balancer.port, images.small[0])
                failures += check_client_address(balancer.port, images.small[0], log)
                failures += check_one_server_paths(balancer.port)
                with load.Load(balancer.port, images, servers) as clients:
                    faults = [servers.kill, servers.kill, servers.pause_shortly, servers.kill, servers.reload_all,
                              servers.restart_all]
                    for fault in faults * rounds + [servers.hang]:
                        earlier = len(clients.seconds)
                        show(f"{kind.title}: {fault.__name__}, {len(clients.seconds)} requests so far, "
                             f"{len(clients.failures)} failed")
                        fault()
                repetitions = balancer.repetitions()
                if not repetitions:
                    failures.append("no request was repeated, so the test is not valid")
                # Before another balancer starts, whose requests are not repeated.
                lost = run_without_repetitions(kind, servers, images, rounds)
                if not lost[1]:
                    failures.append("without repetitions no request was lost, so the test is not valid")
                servers.stop()
                failures += check_without_servers(balancer.port, images.small[0])
        finally:
            servers.stop()
    failures += clients.failures
    return {
        "title": f"{kind.title} {kind.version()}", "counts": clients.counts, "faults": servers.counts,
        "repetitions": repetitions, "lost": lost, "seconds": clients.seconds, "earlier": earlier, "failed": len(clients.failures),
        "failures": [f"{kind.title}: {text}" for text in failures],
    }


def run_without_repetitions(kind, servers, images, rounds):
    """Kills servers behind a balancer that does not repeat requests. Returns the requests, those lost, and the kills."""
    before = dict(servers.counts)
    with kind(servers.ports, kind.WITHOUT_REPETITIONS) as balancer:
        with load.Load(balancer.port, images, servers) as clients:
            for _ in range(2 * rounds):
                show(f"{kind.title} without repetitions: kill, {len(clients.failures)} of {len(clients.seconds)} lost")
                servers.kill()
    kills = servers.counts["kills"] - before["kills"]
    servers.counts = before
    return len(clients.seconds), len(clients.failures), kills


def report(rows):
    """Returns the table of the results."""
    lines = ["| | " + " | ".join(row["title"] for row in rows) + " |", "| --- |" + " --- |" * len(rows)]

    def line(name, value):
        lines.append(f"| {name} | " + " | ".join(str(value(row)) for row in rows) + " |")

    for name in NAMES:
        line(f"images {name}", lambda row: row["counts"].get(name, 0))
    for name in rows[0]["faults"]:
        line(f"{name} of a server", lambda row: row["faults"].get(name, 0))
    line("requests sent again by the balancer", lambda row: row["repetitions"])
    line("batches rejected with 503 and Retry-After", lambda row: row["counts"].get("batches rejected", 0))
    line("batches broken off by a kill or the longer pause", lambda row: row["counts"].get("batches broken off", 0))
    line("latency of a score, s (median)", lambda row: f"{statistics.median(row['seconds']):.2f}")
    line("latency of a score, s (longest before the longer pause)", lambda row: f"{max(row['seconds'][:row['earlier']]):.1f}")
    line("latency of a score, s (longest)", lambda row: f"{max(row['seconds']):.1f}")
    line("**requests failed or with a wrong score**", lambda row: f"**{row['failed']}**")
    line("lost without repetitions", lambda row: "{1} of {0} in {2} kills".format(*row["lost"]))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        rows = [run(kind, options.rounds, pathlib.Path(folder)) for kind in (proxies.HAProxy, proxies.Nginx)]
    minutes = (time.monotonic() - began) / 60
    table, failures = report(rows), [text for row in rows for text in row["failures"]]
    explanation = " ".join(__doc__.split("\n\n")[2].split())
    (ROOT / "docs/results/balancers.md").write_text(
        f"# Load balancers\n\nWritten by `make balancers-test` in {minutes:.0f} minutes. {explanation}\n\n{table}\n\n"
        f"On {os.cpu_count()} cores of {dia_testing.processor_name()}, shared by the servers, the balancer, the clients and other "
        "programs, so the latencies are those of a busy machine. "
        f"In the test, a balancer considers a server hung after {proxies.HUNG_SECONDS} s; the configurations have 65 s. "
        "The last row is the same load with `retries 0` and `retry-on none` (HAProxy), or `proxy_next_upstream off` (nginx).\n"
    )
    print(table)
    for text in failures[:20]:
        print(f"FAILED: {text}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
