"""Scoring under overload: goodput, and the latency of accepted requests.

    overload.py [--seconds 20]     writes docs/results/overload.md

The load is open-loop: requests are sent on schedule, regardless of how many are pending. The maximum throughput of the
server is measured first, with 64 clients that wait for each response.
"""

import argparse
import asyncio
import random
import time

from service import ROOT, ours, pictures


class Connection(asyncio.Protocol):
    """One connection: sends a request, returns the response status. Does little work, to leave CPU time to the server."""

    def connection_made(self, transport):
        self.transport, self.response, self.buffer = transport, None, b""

    def data_received(self, data):
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        start = self.buffer.index(b"Content-Length: ") + 16
        length = int(self.buffer[start : self.buffer.index(b"\r\n", start)])
        if len(self.buffer) == end + 4 + length:
            response, status = self.response, int(self.buffer[9:12])
            self.buffer = b""
            response.set_result(status)


class Client:
    """A pool of connections to the server, reused after each response."""

    def __init__(self, port):
        self.port, self.free = port, []

    async def score(self, request):
        """Returns the status and the seconds until the response."""
        loop, start = asyncio.get_running_loop(), time.monotonic()
        if self.free:
            connection = self.free.pop()
        else:
            _, connection = await loop.create_connection(Connection, "127.0.0.1", self.port)
        connection.response = loop.create_future()
        connection.transport.write(request)
        status = await connection.response
        self.free.append(connection)
        return status, time.monotonic() - start


def request(body, timeout):
    limit = f"X-Request-Timeout: {timeout}\r\n" if timeout else ""
    head = f"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n{limit}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def flood(port, rate, seconds, bodies, timeout):
    client, tasks, generator = Client(port), [], random.Random(0)
    requests = [request(body, timeout) for body in bodies]
    start = time.monotonic()
    due = start
    while due < start + seconds:
        await asyncio.sleep(max(0, due - time.monotonic()))
        tasks.append(asyncio.create_task(client.score(generator.choice(requests))))
        due += generator.expovariate(rate)
    responses = await asyncio.gather(*tasks)
    elapsed = time.monotonic() - start
    for connection in client.free:
        connection.transport.close()
    return responses, elapsed


async def waiting(port, clients, seconds, bodies):
    """Returns the responses per second for clients that wait for each response."""
    client, stop, done = Client(port), time.monotonic() + seconds, 0
    requests = [request(body, None) for body in bodies]

    async def one(turn):
        nonlocal done
        while time.monotonic() < stop:
            status, _ = await client.score(requests[turn % len(requests)])
            assert status == 200, status
            done, turn = done + 1, turn + 1

    start = time.monotonic()
    await asyncio.gather(*(one(index) for index in range(clients)))
    for connection in client.free:
        connection.transport.close()
    return done / (time.monotonic() - start)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20, help="seconds of load for each row")
    options = parser.parse_args()
    bodies = pictures(32)
    process, port = ours()
    lines = [
        "| load | request timeout | successful per second | share of the limit | rejected | p50, s | p99, s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    try:
        asyncio.run(waiting(port, 64, 3, bodies))
        limit = asyncio.run(waiting(port, 64, options.seconds, bodies))
        for times in (1, 2, 4):
            for timeout in (None, 2):
                responses, elapsed = asyncio.run(flood(port, times * limit, options.seconds, bodies, timeout))
                done = sorted(seconds for status, seconds in responses if status == 200)
                other = {status for status, _ in responses} - {200, 503}
                assert not other, f"unexpected: {other}"
                lines.append(
                    f"| {times} times the limit | {f'{timeout} s' if timeout else 'default'} | {len(done) / elapsed:.1f} | "
                    f"{100 * len(done) / elapsed / limit:.0f}% | {100 - 100 * len(done) / len(responses):.0f}% | "
                    f"{done[len(done) // 2]:.2f} | {done[int(.99 * len(done))]:.2f} |"
                )
                print(lines[-1], flush=True)
    finally:
        process.terminate()
        process.wait()
    (ROOT / "docs/results/overload.md").write_text(
        "# Overload\n\nWritten by `make bench-overload`: `POST /v1/score` with the bundled pneumonia model on loopback. "
        f"The limit, {limit:.1f} images per second, is the throughput with 64 clients that wait for each response. Then "
        "requests arrive at random times, independent of earlier responses. The clients run on the same processors. "
        "Rejected requests get a 503 response with Retry-After immediately. The time for `successful per second` includes "
        "the time after the last arrival until the queue is empty.\n\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    main()
