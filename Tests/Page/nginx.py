"""nginx as a reverse proxy under the path /dia/, as an operator would configure it."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

UNPACKED = pathlib.Path(__file__).resolve().parents[2] / ".build/page-nginx/usr/sbin/nginx"
EXECUTABLE = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or (UNPACKED if UNPACKED.exists() else None)

CONFIGURATION = """
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
        location /dia/ {{
            proxy_pass http://127.0.0.1:{upstream}/;
            client_max_body_size 32m;
        }}
    }}
}}
"""


class Nginx:
    """An nginx process that passes /dia/ on to the server on the port `upstream`."""

    def __init__(self, upstream):
        self.folder = tempfile.TemporaryDirectory()
        # nginx cannot choose a free port itself.
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        path = pathlib.Path(self.folder.name, "nginx.conf")
        path.write_text(CONFIGURATION.format(folder=self.folder.name, port=port, upstream=upstream))
        self.process = subprocess.Popen(
            [EXECUTABLE, "-p", self.folder.name, "-e", f"{self.folder.name}/error.log", "-c", path])
        self.url = f"http://127.0.0.1:{port}/dia/"
        self.wait_for(port)

    def wait_for(self, port):
        """Returns when nginx accepts connections, of which it gives no other sign."""
        deadline = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                return socket.create_connection(("127.0.0.1", port), 1).close()
            except ConnectionRefusedError:
                time.sleep(0.02)
        self.__exit__()
        raise RuntimeError("nginx did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()
