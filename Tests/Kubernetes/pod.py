"""Starts dia-server with the options of the manifests, confined as in a pod where that needs no cluster."""

import os
import pathlib
import re
import subprocess
import sys
import urllib.error
import urllib.request

import manifests

sys.path.insert(0, str(manifests.ROOT / "Tools"))

import dia_testing  # noqa: E402

CONFINED = pathlib.Path(__file__).with_name("confined.py")
# The root is read-only, and the process has the user of the manifests, no capabilities, and cannot get any.
SCRIPT = """
mount -o remount,bind,ro / || exit 1
exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


def arguments(objects, folder, names=()):
    """Returns the options of the manifests with paths and a port of this machine; `names` are left out."""
    options = manifests.options(objects)
    options |= {"models": manifests.ROOT / "Models", "api-keys": folder / "keys", "port": 0}
    return [f"--{name}={value}" for name, value in options.items() if name not in names]


def check_options(objects, folder, extra=()):
    """Returns failures unless `dia-server --check` accepts the options, and the keys of the example."""
    command = [dia_testing.EXECUTABLE, *arguments(objects, folder), *extra, "--check"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return [] if result.returncode == 0 else [f"dia-server --check: {result.stderr.strip()[:500]}"]


class Server:
    """The server of the manifests. It is ready when the constructor returns."""

    def __init__(self, objects, folder):
        key = subprocess.run([dia_testing.EXECUTABLE, "hash-key", "test", "--scopes", "score,metrics"],
                             capture_output=True, text=True, check=True)
        self.key = re.search(r"dia_\S+", key.stderr)[0]
        keys = (manifests.FOLDER / "example/keys.example").read_text() + key.stdout
        (folder / "keys").write_text(keys)
        # The ready line of the log format JSON has the address, too; the server must listen on the loopback interface.
        command = [dia_testing.EXECUTABLE, *arguments(objects, folder, ["host"]), "--host=127.0.0.1"]
        environment = {"PATH": os.environ["PATH"]}
        self.is_confined = os.getuid() == 0
        if self.is_confined:
            # The folder is that of the keys, and the user of the pod must be able to read it.
            folder.chmod(0o755)
            command = ["unshare", "--mount", "sh", "-c", SCRIPT, "sh", sys.executable, CONFINED, *command]
            environment["USER_ID"] = str(manifests.pod(objects)["securityContext"]["runAsUser"])
        with open(folder / "log", "w") as log:
            self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=log, text=True,
                                            env=environment)
        match = re.search(r"http:(?:\\?/){2}127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        if not match:
            self.process.kill()
            raise SystemExit(f"dia-server does not start with the options of the manifests: {(folder / 'log').read_text()}")
        self.port = int(match[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            # A second signal ends the drain delay.
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()

    def request(self, path, body=None, with_key=True):
        """Returns the status and the body of a response."""
        headers = {"Authorization": f"Bearer {self.key}"} if with_key else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def ready_bytes(self):
        """Returns the resident memory of the server after its start."""
        return int(float(re.search(rb"^process_resident_memory_bytes (\S+)", self.request("/metrics")[1], re.MULTILINE)[1]))

    def confinement_failures(self, objects):
        """Returns failures unless the process has lost its privileges: a check of this test rather than of the server."""
        status = dict(
            line.split(":", 1) for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        )
        user = str(manifests.pod(objects)["securityContext"]["runAsUser"])
        expected = {"Uid": [user] * 4, "Gid": [user] * 4, "CapEff": ["0" * 16], "NoNewPrivs": ["1"], "Seccomp": ["2"]}
        found = [f"{name} is {status[name]}" for name, value in expected.items() if status[name].split() != value]
        mounts = pathlib.Path(f"/proc/{self.process.pid}/mounts").read_text().splitlines()
        roots = [line.split()[3].split(",")[0] for line in mounts if line.split()[1] == "/"]
        return found if roots[-1] == "ro" else [*found, "the root can be written"]

    def failures(self, objects):
        """Returns failures unless the probes and scores work."""
        found = self.confinement_failures(objects) if self.is_confined else []
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            path = manifests.container(objects)[probe]["httpGet"]["path"]
            # The kubelet has no key.
            if (status := self.request(path, with_key=False)[0]) != 200:
                found.append(f"{probe}: {path} has the status {status}")
        image = (manifests.ROOT / "examples/lesion.png").read_bytes()
        expected = {("/v1/models/phantom/score", True): 200, ("/v1/models/phantom/score", False): 401}
        for (path, with_key), status in expected.items():
            if (actual := self.request(path, image, with_key)[0]) != status:
                found.append(f"{path} has the status {actual}, expected {status}")
        return found
