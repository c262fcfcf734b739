"""Programs that tests start beside a dia-server, such as proxies, with a configuration file. Standard library only."""

import pathlib
import socket
import subprocess
import tempfile
import time

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
        location {location} {{
            proxy_pass http://127.0.0.1:{upstream}{target};
            client_max_body_size 32m;
        }}
    }}
}}
"""


class Service:
    """A program that listens on the loopback interface, with a configuration file."""

    def __init__(self, command, configuration, environment=None, **values):
        """Starts `command`. In its arguments and in the configuration, the names of `values`, {folder} and {port} are
        replaced; {file} in the arguments is the configuration file."""
        self.folder = tempfile.TemporaryDirectory()
        # These programs cannot choose a free port themselves.
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        path = pathlib.Path(self.folder.name, "configuration")
        values |= {"folder": self.folder.name, "port": self.port, "file": path}
        path.write_text(configuration.format(**values))
        self.log = open(pathlib.Path(self.folder.name, "log"), "w+")
        self.process = subprocess.Popen(
            [str(part).format(**values) for part in command], env=environment, stdout=self.log, stderr=self.log,
        )
        self.url = f"http://127.0.0.1:{self.port}"
        self.wait()

    def wait(self):
        """Returns when the program accepts connections, of which it gives no other sign."""
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except ConnectionRefusedError:
                time.sleep(0.02)
        self.log.seek(0)
        text = self.log.read()
        self.__exit__()
        raise RuntimeError(f"{self.process.args[0]} did not start: {text}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
        self.folder.cleanup()


def nginx(executable, upstream, location="/", target="", environment=None):
    """Starts nginx as a proxy of the port `upstream`: the path `location` there is `target` at the server, if given."""
    command = [executable, "-p", "{folder}", "-e", "{folder}/error.log", "-c", "{file}"]
    return Service(command, NGINX, environment, upstream=upstream, location=location, target=target)
