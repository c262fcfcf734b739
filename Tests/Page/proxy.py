"""A reverse proxy under the path /dia/, like `location /dia/` of nginx, that can hold and fail chosen requests."""

import http.client
import http.server
import sys
import threading


class Rule:
    """What happens to requests whose path contains `text`: they are held until `release`, or get `answer`."""

    def __init__(self, text, answer=None, is_held=False, times=1):
        self.text, self.answer, self.times = text, answer, times
        # Set when a request has arrived, and when it may go on.
        self.arrived, self.released = threading.Event(), threading.Event()
        if not is_held:
            self.released.set()

    def release(self):
        self.released.set()


class Proxy:
    """Forwards requests from /dia/ to the server on `port`."""

    def __init__(self, port):
        self.rules, self.paths, self.lock = [], [], threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                proxy.forward(self, port)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                # The browser closes connections that it no longer needs.
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(request, client_address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/dia/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, text, **options):
        """Adds a rule for the next request whose path contains `text`, and returns it."""
        rule = Rule(text, **options)
        with self.lock:
            self.rules.append(rule)
        return rule

    def reset(self):
        """Removes all rules and releases what they hold."""
        with self.lock:
            for rule in self.rules:
                rule.release()
            self.rules.clear()

    def take(self, path):
        """Returns the first rule for `path` and counts its use."""
        with self.lock:
            self.paths.append(path)
            rule = next((rule for rule in self.rules if rule.times > 0 and rule.text in path), None)
            if rule:
                rule.times -= 1
            return rule

    def forward(self, handler, port):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        rule = self.take(handler.path)
        if rule:
            rule.arrived.set()
            rule.released.wait(60)
        try:
            if rule and rule.answer == "close":
                handler.close_connection = True
            elif rule and rule.answer:
                self.send(handler, *rule.answer)
            elif not handler.path.startswith("/dia/"):
                self.send(handler, 404, {"Content-Type": "text/html"}, b"<h1>nothing here</h1>")
            else:
                self.send(handler, *self.ask(handler, port, body))
        except (BrokenPipeError, ConnectionResetError):
            pass  # The page no longer wanted the answer.

    @staticmethod
    def ask(handler, port, body):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in ("host", "connection")}
        connection.request(handler.command, handler.path.removeprefix("/dia"), body, headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        dropped = ("content-length", "transfer-encoding", "connection")
        return response.status, {n: v for n, v in response.getheaders() if n.lower() not in dropped}, data

    @staticmethod
    def send(handler, status, headers, data):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
