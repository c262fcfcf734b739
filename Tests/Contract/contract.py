#!/usr/bin/env python3
"""Tests openapi.yaml against a dia-server on the loopback interface: with schemathesis, without and with API keys, and
with a client that openapi-python-client generates."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import yaml

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402

PROGRAMS = pathlib.Path(sys.executable).parent
KEY = "contract-key-0123456789abcdef"


def write_keys(path):
    """Writes a key file with `KEY`, which has all scopes and no rate limit."""
    command = [dia_testing.EXECUTABLE, "hash-key", "contract", "--scopes", "score,metrics,admin", "--stdin"]
    path.write_text(subprocess.run(command, input=KEY + "\n", stdout=subprocess.PIPE, text=True, check=True).stdout)


def write_contract(url, path, has_keys):
    """Writes the contract as JSON, which has no aliases: schemathesis adds links to the responses.

    The security of the contract is optional, because a server may have no keys. Of a server with keys it is not.
    """
    text = (ROOT / "openapi.yaml").read_bytes()
    with urllib.request.urlopen(f"{url}/openapi.yaml", timeout=60) as response:
        if response.read() != text:
            print("warning: the server has another openapi.yaml; build it again", flush=True)
    contract = yaml.safe_load(text)
    if has_keys:
        contract["security"] = [scheme for scheme in contract["security"] if scheme]
    path.write_text(json.dumps(contract))


def configuration(has_keys):
    """Returns the configuration for a server without or with keys."""
    text = (FOLDER / "schemathesis.toml").read_text()
    schemes = f"""
[auth.openapi.key]
bearer = "{KEY}"
[auth.openapi.header]
api_key = "{KEY}"
[auth.openapi.basic]
username = "contract"
password = "{KEY}"
"""
    return text + schemes if has_keys else text


def run_schemathesis(folder, url, arguments, has_keys):
    """Runs all checks; returns whether there was a failure."""
    print(f"schemathesis, {'with' if has_keys else 'without'} keys", flush=True)
    write_contract(url, folder / "contract.json", has_keys)
    (folder / "schemathesis.toml").write_text(configuration(has_keys))
    command = [
        PROGRAMS / "schemathesis", "--config-file", folder / "schemathesis.toml", "run", folder / "contract.json",
        "--url", url, "--checks", "all", "--continue-on-failure", "--no-color", "--generation-database", "none",
        "--request-timeout", "120", "--max-examples", str(arguments.examples), "--workers", str(arguments.workers),
        "--phases", arguments.phases,
    ]
    if arguments.seed is not None:
        command += ["--seed", str(arguments.seed)]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(FOLDER)}
    return subprocess.run([str(part) for part in command], cwd=folder, env=environment).returncode != 0


def generated_client_fails(folder, url):
    """Generates a client and scores images with it; returns whether that fails."""
    print("openapi-python-client", flush=True)
    environment = os.environ | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    command = [
        PROGRAMS / "openapi-python-client", "generate", "--path", ROOT / "openapi.yaml", "--config",
        FOLDER / "openapi-python-client.yaml", "--meta", "none", "--output-path", folder / "generated",
        "--fail-on-warning",
    ]
    if subprocess.run([str(part) for part in command], env=environment, timeout=300).returncode != 0:
        return True
    command = [sys.executable, str(FOLDER / "generated_client.py"), url, KEY]
    return subprocess.run(command, env=os.environ | {"PYTHONPATH": str(folder)}, timeout=300).returncode != 0


def main():
    """Runs the tests; exits with 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=20, help="random requests for each operation (20)")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful", help="phases of schemathesis (all)")
    # Several threads provoke an error of CPython 3.11 in ast.parse, "recursion depth mismatch".
    parser.add_argument("--workers", type=int, default=1, help="operations that are tested at the same time (1)")
    parser.add_argument("--seed", type=int, help="seed of the random requests")
    parser.add_argument("--only", choices=["without-keys", "with-keys", "client"], help="one of the tests")
    arguments = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "models").mkdir()
        (folder / "models/phantom").symlink_to(dia_testing.MODELS / "phantom")
        write_keys(folder / "keys")
        for has_keys in (False, True):
            options = ["--log-level", "error"] + (["--api-keys", folder / "keys"] if has_keys else [])
            test = "with-keys" if has_keys else "without-keys"
            with dia_testing.Server(*options, models=folder / "models", log=None) as server:
                url = f"http://127.0.0.1:{server.port}"
                if arguments.only in (None, test) and run_schemathesis(folder, url, arguments, has_keys):
                    failures.append(f"schemathesis {test}")
                if has_keys and arguments.only in (None, "client") and generated_client_fails(folder, url):
                    failures.append("openapi-python-client")
    if failures:
        raise SystemExit(f"failed: {', '.join(failures)}")


main()
