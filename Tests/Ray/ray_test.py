#!/usr/bin/env python3
"""Scores images with deploy/ray/score_images.py on a local Ray with two workers, of which one is killed.

    make ray-test                      # 20,000 images
    make ray-test IMAGES=500

Every image must have exactly one row with its own score, also when a worker is killed with SIGKILL, and when the whole run
is killed and continued.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import pyarrow.dataset
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402

BIN = ROOT / ".build/release"
MODEL = BIN / "dia_TestSupport.resources/Models/gray-pad"
# Marks the processes of this test, which Ray starts in sessions of their own.
TOKEN = str(uuid.uuid4())


def image(number):
    """A PNG that differs from those of other numbers."""
    generator = random.Random(number)
    return dia_testing.gray_png(28, 28, bytes(generator.randrange(256) for _ in range(784)))


def processes():
    """The processes that this test has started, directly or not: their IDs and command lines."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if TOKEN.encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    found.pop(os.getpid(), None)
    return found


def end_processes():
    """Ends all processes of this test that are still running."""
    for _ in range(100):
        running = processes()
        if not running:
            return
        for number in running:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.1)
    raise SystemExit("processes cannot be ended")


class Run:
    """A run of score_images.py in the background."""

    def __init__(self, folder, source, out, *arguments):
        command = [
            sys.executable, ROOT / "deploy/ray/score_images.py", source, "--out", out,
            "--dia", BIN / "dia", "--server", BIN / "dia-server", "--workers", "2", "--threads", "1", *arguments,
        ]
        self.out = out
        self.log = open(folder / f"log-{uuid.uuid4()}", "w+")
        self.process = subprocess.Popen(
            [str(part) for part in command], stdout=self.log, stderr=self.log,
            env=os.environ | {"DIA_RAY_TEST": TOKEN, "RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": str(folder / "ray")},
        )

    def end(self):
        """Waits for the end; returns the status and the output."""
        status = self.process.wait(3600)
        self.log.seek(0)
        return status, self.log.read()

    def wait_for(self, parts):
        """Returns when so many Parquet files were written."""
        while len(list(self.out.glob("*.parquet"))) < parts:
            if self.process.poll() is not None:
                raise SystemExit(f"the run ended early:\n{self.end()[1]}")
            time.sleep(0.05)


def rows(out):
    return pyarrow.dataset.dataset(out, format="parquet").to_table().to_pylist()


def check_each_once(out, paths, errors=()):
    found = [row["path"] for row in rows(out)]
    assert len(found) == len(set(found)), f"{len(found) - len(set(found))} images have several rows"
    assert set(found) == set(paths), f"{len(set(paths) - set(found))} images have no row"
    wrong = {row["path"] for row in rows(out) if row["error"] is not None}
    assert wrong == set(errors), f"unexpected errors: {sorted(wrong ^ set(errors))[:5]}"


def check_scores(out, paths):
    """Compares the scores of some images with those of the client without Ray."""
    command = [BIN / "dia", "score", "--models", MODEL, "--format", "jsonl", "--quiet", *paths]
    lines = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=True).stdout.splitlines()
    expected = {line["path"]: line["result"]["normality"] for line in map(json.loads, lines)}
    assert len(expected) == len(paths) and len(set(expected.values())) == len(paths), "the images have different scores"
    found = {row["path"]: row["normality"] for row in rows(out)}
    for path in paths:
        assert abs(found[path] - expected[path]) < 1e-6, f"{path}: {found[path]}, expected {expected[path]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dia-ray-") as name:
        folder = pathlib.Path(name)
        try:
            test(folder, options.images)
        finally:
            end_processes()


def test(folder, count):
    images = folder / "images"
    paths = []
    for number in range(count):
        path = images / f"{number % 16:02}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image(number))
        paths.append(str(path))
    broken = images / "broken.png"
    broken.write_bytes(image(0)[:100])
    (images / ".hidden.png").write_bytes(image(0))
    (images / "notes.txt").write_text("not an image")
    batch = max(10, min(200, count // 20))
    parts = -(-(count + 1) // batch)

    out = folder / "killed-worker"
    begin = time.monotonic()
    run = Run(folder, images, out, "--models", MODEL, "--batch", batch)
    run.wait_for(parts // 4)
    workers = [number for number, command in processes().items() if command.startswith("ray::MapWorker")]
    assert len(workers) == 2, f"{len(workers)} workers"
    os.kill(workers[0], signal.SIGKILL)
    status, log = run.end()
    seconds = time.monotonic() - begin
    assert status == 1, f"status {status}:\n{log}"
    check_each_once(out, paths + [str(broken)], [str(broken)])
    check_scores(out, random.Random(1).sample(paths, 50))
    print(f"{count} images with a killed worker: each once, {seconds:.0f} s, {count / seconds:.0f} images/s with the start")

    times = {file: file.stat().st_mtime_ns for file in out.iterdir()}
    status, log = Run(folder, images, out, "--models", MODEL, "--batch", batch).end()
    assert status == 1 and f"{count + 1} have a row" in log, log
    assert times == {file: file.stat().st_mtime_ns for file in out.iterdir()}, "a repeated run has changed files"
    broken.write_bytes(image(count))
    status, log = Run(folder, images, out, "--models", MODEL, "--batch", batch, "--retry-errors").end()
    assert status == 0, log
    check_each_once(out, paths + [str(broken)])
    print("a repeated run scores nothing, and --retry-errors only what had an error")

    some = paths[: min(count, 2000)]
    table = folder / "list.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"file": some + some[:5]}), table)
    out = folder / "killed-run"
    arguments = ["--models", MODEL, "--batch", max(5, len(some) // 20), "--column", "file"]
    run = Run(folder, table, out, *arguments)
    run.wait_for(5)
    run.process.kill()
    run.end()
    end_processes()
    begun = len(rows(out))
    status, log = Run(folder, table, out, *arguments).end()
    assert status == 0 and f"{begun} have a row" in log, log
    check_each_once(out, some)
    print(f"a run that was killed after {begun} of {len(some)} images and continued: each once")

    few = paths[:40]
    text = folder / "list.txt"
    text.write_text("\n".join(few) + "\n")
    out = folder / "shared-server"
    with dia_testing.Server(models=MODEL) as server:
        status, log = Run(folder, text, out, "--url", f"http://127.0.0.1:{server.port}", "--batch", "10").end()
        assert status == 0, log
        url = f"http://127.0.0.1:{server.port}"
    check_each_once(out, few)
    status, log = Run(folder, text, folder / "none", "--url", url, "--batch", "10").end()
    assert status == 1 and "cannot" in log, f"a server that is not there: status {status}\n{log}"
    assert not list((folder / "none").glob("*.parquet")), "images without a server have no rows"
    print("a list of files with a shared server; without the server: an error, and no rows")
    run = Run(folder, folder / "nowhere", folder / "none", "--models", MODEL)
    status, log = run.end()
    assert status == 2 and "no such file" in log, log


main()
