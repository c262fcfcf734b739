"""Programs of Debian that setup.sh has unpacked and not installed, because their packages would start services."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNPACKED = ROOT / ".build/clients/debian"
LIBRARIES = UNPACKED / "usr/lib" / f"{os.uname().machine}-linux-gnu"


def executable(name):
    """Returns the path of a program: the one that is installed or else the unpacked one; None if there is none."""
    folders = [UNPACKED / "usr/sbin", UNPACKED / "usr/bin", UNPACKED / "usr/lib/go-1.19/bin"]
    return shutil.which(name, path=":".join([os.environ["PATH"], "/usr/sbin", *map(str, folders)]))


def environment():
    """Returns the environment of an unpacked program."""
    return os.environ | {"LD_LIBRARY_PATH": str(LIBRARIES)}


def free_port():
    """Returns a port that is free now: these programs cannot choose one themselves."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Service:
    """A program that listens on the loopback interface, with a configuration file."""

    def __init__(self, name, command, configuration, upstream):
        """Starts the program `name`. In the arguments and the configuration, {folder}, {port} and {upstream} are
        replaced; {file} is the configuration file."""
        self.folder = tempfile.TemporaryDirectory()
        self.port = free_port()
        path = pathlib.Path(self.folder.name, "configuration")
        values = {"folder": self.folder.name, "port": self.port, "upstream": upstream, "file": path}
        path.write_text(configuration.format(**values))
        self.log = open(pathlib.Path(self.folder.name, "log"), "w+")
        self.process = subprocess.Popen(
            [executable(name)] + [part.format(**values) for part in command],
            env=environment(), stdout=self.log, stderr=self.log,
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
