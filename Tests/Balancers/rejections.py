"""Servers that reject every request: how often a balancer repeats it, and what the client gets."""

import contextlib
import http.server
import threading

import load


class Rejections(http.server.ThreadingHTTPServer):
    """A server that is ready, and responds to every POST with `status` and Retry-After."""

    daemon_threads = True

    def __init__(self, status):
        self.status, self.count = status, 0
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *error):
        self.shutdown()
        super().__exit__(*error)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def respond(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Retry-After", "7")
        self.end_headers()

    def do_GET(self):
        self.respond(200)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.count += 1
        self.respond(self.server.status)

    def log_message(self, *_):
        pass


def check(kind, body):
    """Returns failures unless the balancer repeats 503, but not endlessly, and 429 not at all, and passes on both."""
    failures = []
    for status, fewest, most in [(429, 1, 1), (503, 2, 11)]:
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(Rejections(status)) for _ in range(3)]
            balancer = stack.enter_context(kind([server.server_port for server in servers]))
            response, _ = load.post(balancer.port, body, timeout=30)
            attempts = sum(server.count for server in servers)
        if (response.status, response.getheader("Retry-After")) != (status, "7"):
            failures.append(f"{status} of all servers reaches the client as {response.status}, {response.getheaders()}")
        if not fewest <= attempts <= most:
            failures.append(f"a request that all servers reject with {status} was sent {attempts} times")
    return failures
