"""Three dia-servers, and the faults that are inflicted on them one at a time."""

import pathlib
import random
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402
import proxies  # noqa: E402

DRAIN_DELAY_SECONDS = 3
# The time between two faults: nginx uses a server again 5 s after a failure, and one of three must be left.
PAUSE_SECONDS = 3
OPTIONS = [
    "--threads", 1, "--busy-status", 429, "--trusted-proxies", "127.0.0.1", "--timeout-seconds", 30,
    "--drain-delay-seconds", DRAIN_DELAY_SECONDS,
]


class Cluster:
    """Servers on ports that stay the same when a server is restarted."""

    def __init__(self, log, count=3):
        self.log = log
        self.servers = [self.start() for _ in range(count)]
        self.generator = random.Random(1)
        self.counts = {}
        # The times, from and to, in which a server was killed or hung for longer than the timeout: a batch on it breaks off.
        self.breaks = []

    @property
    def ports(self):
        return [server.port for server in self.servers]

    def start(self, port=0):
        return dia_testing.Server(*OPTIONS, models=ROOT / "Models/phantom", port=port, log=self.log)

    def restart(self, index):
        """Starts a server that has exited, on its port."""
        self.servers[index] = self.start(self.servers[index].port)

    def counted(self, name):
        self.counts[name] = self.counts.get(name, 0) + 1

    def kill(self):
        """Kills a server with SIGKILL, and restarts it at once or up to 2 s later."""
        index = self.generator.randrange(len(self.servers))
        # The client may notice before kill() returns.
        self.breaks.append((time.monotonic(), time.monotonic() + 1))
        self.servers[index].kill()
        self.counted("kills")
        time.sleep(self.generator.choice([0, 0.2, 1, 2]))
        self.restart(index)
        time.sleep(PAUSE_SECONDS)

    def pause(self, seconds, name):
        """Stops a server with SIGSTOP for some time. It accepts connections, but does not respond."""
        server = self.generator.choice(self.servers)
        server.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            server.process.send_signal(signal.SIGCONT)
        self.counted(name)
        time.sleep(PAUSE_SECONDS)

    def pause_shortly(self):
        """Stops a server for less than the timeout of the balancer: requests wait."""
        self.pause(4, "pauses of 4 s")

    def hang(self):
        """Stops a server for longer than the timeout of the balancer: requests are repeated on another one."""
        seconds = proxies.HUNG_SECONDS + 5
        self.breaks.append((time.monotonic(), time.monotonic() + seconds))
        self.pause(seconds, f"pauses of {seconds} s")

    def restart_all(self):
        """Restarts one server after the other, with SIGTERM."""
        for index, server in enumerate(self.servers):
            if (status := server.stop()) != 0:
                raise SystemExit(f"the exit status after SIGTERM is {status}")
            self.restart(index)
            self.counted("restarts")
            time.sleep(PAUSE_SECONDS)

    def reload_all(self):
        """Reloads all servers at the same time, with SIGHUP."""
        for server in self.servers:
            server.process.send_signal(signal.SIGHUP)
            self.counted("reloads")
        time.sleep(PAUSE_SECONDS)

    def stop(self):
        """Ends all servers that run."""
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()
