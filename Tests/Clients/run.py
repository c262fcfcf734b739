#!/usr/bin/env python3
"""Runs the scripts of the clients, which setup.sh installed, against a dia-server on the loopback interface.

The argument "plain" leaves out the clients of the Open Inference Protocol, which take long to install.
"""

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402
import plain  # noqa: E402

GUIDE = ROOT / "docs/clients.md"
CLIENTS = {"triton": "triton.py", "kserve": "kserve_client.py", "mlserver": "mlserver_codecs.py"}
IS_PLAIN = sys.argv[1:] == ["plain"]


def example_fails(server):
    """Runs the script in the guide as written, except for the port. Returns whether its output is not the documented."""
    script, output = re.findall(r"^```(?:python)?\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)[:2]
    command = [ROOT / ".build/clients/triton/bin/python", "-c", script.replace(":8080", f":{server.port}")]
    result = subprocess.run(command, cwd=ROOT, timeout=60, stdout=subprocess.PIPE, text=True)
    print(f"docs/clients.md:\n{result.stdout}")
    return result.stdout != output


failures = []
with dia_testing.Server("--log-level", "error", log=None) as server:
    failures += plain.failures(server.port)
    for name, script in {}.items() if IS_PLAIN else CLIENTS.items():
        python = ROOT / ".build/clients" / name / "bin/python"
        command = [python, FOLDER / script, f"http://127.0.0.1:{server.port}"]
        if subprocess.run(command, timeout=300).returncode != 0:
            failures.append(name)
    if not IS_PLAIN and example_fails(server):
        failures.append("docs/clients.md")
if failures:
    raise SystemExit(f"failed: {', '.join(failures)}")
