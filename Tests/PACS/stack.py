"""The processes of pacs_test.py: Orthanc, dia-server and the sidecar, all on fixed ports of a network namespace."""

import base64
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("DIA_BIN", ROOT / ".build/release"))
MODEL = ROOT / "Tests/TestSupport/Models/gray-pad"
MARK = "4101"
DICOM_PORT, REST_PORT, SERVER_PORT, STATUS_PORT = 4242, 8042, 8080, 9090


def wait_until(condition, seconds, what):
    """Returns the first true value of `condition`, or ends the test."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


class Process:
    """A program that can be killed and started again; its output goes to a file."""

    def __init__(self, name, folder, command):
        self.name, self.command, self.process = name, [str(part) for part in command], None
        self.log = folder / f"{name}.log"

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self, seconds=30):
        """Ends the process with SIGTERM; returns its exit status."""
        self.process.terminate()
        return self.process.wait(seconds)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Orthanc(Process):
    """Orthanc with a store of its own."""

    def __init__(self, folder, name="orthanc", rest=REST_PORT, dicom=DICOM_PORT, user=None, **options):
        store = folder / f"{name}-store"
        store.mkdir(exist_ok=True)
        self.rest, self.dicom, self.user = rest, dicom, user
        configuration = {
            "Name": name, "StorageDirectory": str(store), "IndexDirectory": str(store), "HttpPort": rest,
            "DicomPort": dicom, "RemoteAccessAllowed": True, "AuthenticationEnabled": user is not None,
            "DicomAlwaysAllowStore": True, "DicomCheckCalledAet": False, "OverwriteInstances": True,
            "LimitFindResults": 0, "ConcurrentJobs": 2, **options,
        }
        if user:
            configuration["RegisteredUsers"] = {user[0]: user[1]}
        path = folder / f"{name}.json"
        path.write_text(json.dumps(configuration))
        super().__init__(name, folder, ["/usr/sbin/Orthanc", path])

    def start(self):
        super().start()
        wait_until(self.answers, 60, f"{self.name} starts")

    def answers(self):
        try:
            return self.request("GET", "/system")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.rest, timeout=60)
        headers = {}
        if self.user:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.user).encode()).decode()
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def get(self, path):
        status, body = self.request("GET", path)
        return json.loads(body) if status == 200 else None

    def add(self, data):
        status, body = self.request("POST", "/instances", data)
        assert status == 200, (status, body)
        return json.loads(body)["ID"]

    def mark(self, instance):
        status, body = self.request("GET", f"/instances/{instance}/metadata/{MARK}")
        return json.loads(body) if status == 200 else None

    def attachment(self, instance):
        status, body = self.request("GET", f"/instances/{instance}/attachments/{MARK}/data")
        return json.loads(body) if status == 200 else None

    def file(self, instance):
        return self.request("GET", f"/instances/{instance}/file")[1]


class TLSProxy:
    """Accepts TLS connections and passes their bytes to Orthanc, as a reverse proxy does.

    Orthanc 1.10.1 of Debian 12 crashes when it accepts a TLS connection itself.
    """

    def __init__(self, port, certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.listener = context.wrap_socket(socket.create_server(("127.0.0.1", port)), server_side=True)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except ssl.SSLError:
                continue  # a client that does not trust the certificate
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", REST_PORT))
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(source, target), daemon=True).start()

    @staticmethod
    def copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        finally:
            # Wakes the thread of the other direction.
            for each in (source, target):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.listener.close()


class Server(Process):
    """dia-server with the small model."""

    def __init__(self, folder):
        super().__init__("server", folder, [BIN / "dia-server", "--models", MODEL, "--port", SERVER_PORT])


class Sidecar(Process):
    """dia orthanc with a state directory."""

    def __init__(self, folder, rules, state=None, options=(), name="sidecar", orthanc=f"http://127.0.0.1:{REST_PORT}"):
        self.rules = folder / f"{name}-rules.json"
        self.rules.write_text(json.dumps({"rules": rules}))
        self.state = state or folder / f"{name}-state"
        super().__init__(name, folder, [
            BIN / "dia", "orthanc", "--rules", self.rules, "--state", self.state, "--orthanc", orthanc, "--url",
            f"http://127.0.0.1:{SERVER_PORT}", "--status-port", STATUS_PORT, "--poll", "0.2", *options,
        ])

    def status(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", STATUS_PORT, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def position(self):
        path = pathlib.Path(self.state) / "position.json"
        return json.loads(path.read_text())["change"] if path.exists() else 0

    def dead_letters(self):
        output = subprocess.run([BIN / "dia", "orthanc", "dead-letters", "--state", self.state], check=True,
                                capture_output=True, text=True).stdout
        return {line.split()[0]: line for line in output.splitlines()}


def known_scores(paths):
    """The results of dia score without a server, by path."""
    output = subprocess.run(
        [BIN / "dia", "score", "--models", MODEL, "--format", "jsonl", "--quiet", "--null", "--from-file", "-"],
        input=b"\0".join(os.fsencode(path) for path in paths), capture_output=True).stdout
    lines = [json.loads(line) for line in output.splitlines()]
    return {line["path"]: line.get("result") for line in lines}
