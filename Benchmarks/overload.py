"""Scoring under more load than the server can serve: goodput, and how long accepted requests take.

    overload.py [--seconds 20]     writes docs/overload.md

Arrivals are open-loop: a request is sent when its time has come, however many are under way. The server's limit is
measured first, by 64 clients that wait for their answers.
"""

import argparse
import asyncio
import random
import time

from service import ROOT, ours, pictures


class Connection(asyncio.Protocol):
    """One connection: bytes out, the status of the answer back. As little work as can be: it is the server's time."""

    def connection_made(self, transport):
        self.transport, self.answer, self.buffer = transport, None, b""

    def data_received(self, data):
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        start = self.buffer.index(b"Content-Length: ") + 16
        length = int(self.buffer[start : self.buffer.index(b"\r\n", start)])
        if len(self.buffer) == end + 4 + length:
            answer, status = self.answer, int(self.buffer[9:12])
            self.buffer = b""
            answer.set_result(status)


class Client:
    """Connections to the server, used again when their answer has come."""

    def __init__(self, port):
        self.port, self.free = port, []

    async def score(self, request):
        """The status, and the seconds that it took."""
        loop, start = asyncio.get_running_loop(), time.monotonic()
        if self.free:
            connection = self.free.pop()
        else:
            _, connection = await loop.create_connection(Connection, "127.0.0.1", self.port)
        connection.answer = loop.create_future()
        connection.transport.write(request)
        status = await connection.answer
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
    answers = await asyncio.gather(*tasks)
    elapsed = time.monotonic() - start
    for connection in client.free:
        connection.transport.close()
    return answers, elapsed


async def waiting(port, clients, seconds, bodies):
    """Answers a second for clients that wait for their answers."""
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
    parser.add_argument("--seconds", type=float, default=20, help="of load in each row")
    options = parser.parse_args()
    bodies = pictures(32)
    process, port = ours()
    lines = [
        "| load | asks for an answer within | answered a second | of the limit | refused | p50, s | p99, s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    try:
        asyncio.run(waiting(port, 64, 3, bodies))
        limit = asyncio.run(waiting(port, 64, options.seconds, bodies))
        for times in (1, 2, 4):
            for timeout in (None, 2):
                answers, elapsed = asyncio.run(flood(port, times * limit, options.seconds, bodies, timeout))
                done = sorted(seconds for status, seconds in answers if status == 200)
                other = {status for status, _ in answers} - {200, 503}
                assert not other, f"unexpected: {other}"
                lines.append(
                    f"| {times} times the limit | {f'{timeout} s' if timeout else 'any time'} | {len(done) / elapsed:.1f} | "
                    f"{100 * len(done) / elapsed / limit:.0f}% | {100 - 100 * len(done) / len(answers):.0f}% | "
                    f"{done[len(done) // 2]:.2f} | {done[int(.99 * len(done))]:.2f} |"
                )
                print(lines[-1], flush=True)
    finally:
        process.terminate()
        process.wait()
    (ROOT / "docs/overload.md").write_text(
        "# More load than can be served\n\nWritten by `make bench-overload`: `POST /v1/score` of the bundled pneumonia "
        f"model on loopback. The limit, {limit:.1f} images a second, is what 64 clients get that wait for their answers. "
        "Then requests come at random times whatever becomes of those before, the clients on the same processors. A "
        "refusal is a 503 with Retry-After, at once. A second of what `answered` counts includes the time after the last "
        "arrival in which the queue empties.\n\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    main()
