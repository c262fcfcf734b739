"""Plays the part of systemd: notify.py EXECUTABLE ARGUMENTS...

Starts the executable with a listening socket and a notification socket, reloads it, stops it, and checks its
notifications. Prints "ok" on success.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request

with tempfile.TemporaryDirectory() as folder:
    notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notifications.bind(f"{folder}/notify")
    notifications.settimeout(20)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    # The shell is replaced by the executable, so LISTEN_PID is the process ID of the executable.
    command = f'exec 3<&{listener.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
    process = subprocess.Popen(
        ["bash", "-c", command, "bash", *sys.argv[1:]],
        env={**os.environ, "NOTIFY_SOCKET": f"{folder}/notify", "WATCHDOG_USEC": "200000"},
        pass_fds=[listener.fileno()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )

    def until(word):
        while True:
            text = notifications.recv(4096).decode()
            if text.startswith(word):
                return text

    until("READY=1")
    line = process.stdout.readline()
    assert f":{port} " in line, line
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as response:
        assert response.status == 200
    until("WATCHDOG=1")
    process.send_signal(signal.SIGHUP)
    assert "MONOTONIC_USEC=" in until("RELOADING=1")
    until("READY=1")
    process.terminate()
    until("STOPPING=1")
    assert process.wait(20) == 0
print("ok")
