"""HAProxy and nginx with the configurations in deploy, changed only where a test on the loopback interface must differ."""

import csv
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools"))

import service_process  # noqa: E402

UNPACKED = ROOT / ".build/balancers/debian"
LIBRARIES = UNPACKED / "usr/lib" / f"{os.uname().machine}-linux-gnu"
# How long a server may take before a request is repeated on another one, in the test. The configurations have 65 s.
HUNG_SECONDS = 35


def executable(name):
    """Returns the path of a program that is installed, or that setup.sh has unpacked."""
    path = shutil.which(name, path=":".join([os.environ["PATH"], "/usr/sbin", str(UNPACKED / "usr/sbin")]))
    if not path:
        raise SystemExit(f"{name} is missing; run Tests/Balancers/setup.sh")
    return path


def replaced(text, replacements):
    """Returns `text` with replacements of regular expressions, each of which must match."""
    for pattern, replacement in replacements:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        if count == 0:
            raise SystemExit(f"the configuration has nothing like {pattern}")
    return text


class Balancer:
    """A balancer in front of servers on `ports`. Its URL is that of `service`."""

    def __init__(self, command, path, replacements, ports):
        # The configuration is a format string for Service.
        text = (ROOT / path).read_text().replace("{", "{{").replace("}", "}}")
        servers = [(re.escape(f"192.0.2.{11 + index}:8080"), f"127.0.0.1:{port}") for index, port in enumerate(ports)]
        text = replaced(text, servers + replacements)
        environment = os.environ | {"LD_LIBRARY_PATH": str(LIBRARIES)}
        self.service = service_process.Service([executable(self.name), *command], text, environment)
        self.port = self.service.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.service.__exit__()

    def path(self, name):
        """Returns the path of a file in the folder of the program."""
        return pathlib.Path(self.service.folder.name, name)

    @classmethod
    def version(cls):
        """Returns the version of the program."""
        environment = os.environ | {"LD_LIBRARY_PATH": str(LIBRARIES)}
        result = subprocess.run([executable(cls.name), "-v"], env=environment, capture_output=True, text=True, timeout=60)
        return re.search(r"\d+\.\d+\.\d+", result.stdout + result.stderr)[0]


class HAProxy(Balancer):
    """HAProxy with deploy/haproxy/haproxy.cfg."""

    name, title = "haproxy", "HAProxy"
    WITHOUT_REPETITIONS = [(r"retries \d+", "retries 0"), (r"retry-on .*", "retry-on none")]

    def __init__(self, ports, changes=()):
        replacements = [
            (r"bind :8080", "bind 127.0.0.1:{port}"),
            (r"/run/haproxy/admin.sock", "{folder}/socket"),
            (r"^ *(user|group|chroot) .*\n", ""),
            (r"timeout server 65s", f"timeout server {HUNG_SECONDS}s"),
        ]
        super().__init__(["-f", "{file}"], "deploy/haproxy/haproxy.cfg", [*replacements, *changes], ports)

    def repetitions(self):
        """Returns how often requests were sent again, to the same server or to another one."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.path("socket")))
            connection.sendall(b"show stat\n")
            text = connection.makefile().read()
        rows = csv.DictReader(text.lstrip("# ").splitlines())
        return sum(int(row["wretr"]) + int(row["wredis"]) for row in rows if row["svname"] == "BACKEND")


class Nginx(Balancer):
    """nginx with deploy/nginx/nginx.conf."""

    name, title = "nginx", "nginx"
    WITHOUT_REPETITIONS = [(r"proxy_next_upstream .*", "proxy_next_upstream off;")]

    def __init__(self, ports, changes=()):
        folders = "".join(f"{kind}_temp_path {{folder}}/{kind};\n" for kind in ["proxy", "fastcgi", "uwsgi", "scgi"])
        replacements = [
            (r"^user .*\n", "user root;\n" if os.getuid() == 0 else ""),
            (r"listen 8080", "listen 127.0.0.1:{port}"),
            (r"/run/nginx.pid", "{folder}/pid"),
            (r"/var/log/nginx", "{folder}"),
            (r"^http {{", f"http {{{{\nclient_body_temp_path {{folder}}/body;\n{folders}"),
            (r"_timeout 65s", f"_timeout {HUNG_SECONDS}s"),
        ]
        command = ["-e", "{folder}/error.log", "-g", "daemon off;", "-c", "{file}"]
        super().__init__(command, "deploy/nginx/nginx.conf", [*replacements, *changes], ports)

    def repetitions(self):
        """Returns how often requests were sent again to another server."""
        upstreams = re.findall(r'upstream="([^"]*)"', self.path("dia.log").read_text())
        return sum(addresses.count(",") for addresses in upstreams)
