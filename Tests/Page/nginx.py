"""nginx as a reverse proxy under the path /dia/, as an operator would configure it."""

import os
import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools"))

import service_process  # noqa: E402

UNPACKED = ROOT / ".build/page-nginx/usr/sbin/nginx"
EXECUTABLE = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or (UNPACKED if UNPACKED.exists() else None)
PATH = "/dia/"


def start(upstream):
    """Starts an nginx that passes /dia/ on to the server on the port `upstream`."""
    return service_process.nginx(EXECUTABLE, upstream, location=PATH, target="/")
