#!/usr/bin/env python3
"""Scores many images on a Ray cluster and writes Parquet.

    score_images.py /data/images --out scores --models /var/lib/dia/models --model pneumonia
    score_images.py list.txt --out scores --url https://dia.example.org --key-file key
    score_images.py studies.parquet --column path --out scores --models Models

The input is a folder, a text file with one path a line, or a Parquet file. Each worker starts a dia-server of its own with
--models, or uses the one at --url, and has the client `dia` read PNG and DICOM files, so that images are rendered in one
place. All workers must see the images, the models and --out under the same paths, and need dia and dia-server.

Each image has one row: path, model, version, digest, verdict, score, normality, p_value, error. A run that was interrupted is
continued by the same command: images that have a row are not scored again. The rows of images with an error count too;
--retry-errors scores those again. Exit status: 0 if all images have a score, 1 if some have an error, 2 for a wrong
argument. Research use only, not for diagnosis.
"""

import argparse
import ctypes
import hashlib
import json
import logging
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import pyarrow
import pyarrow.compute
import pyarrow.dataset
import pyarrow.parquet
import ray

SCHEMA = pyarrow.schema(
    [(name, pyarrow.string()) for name in ("path", "model", "version", "digest", "verdict")]
    + [(name, pyarrow.float64()) for name in ("score", "normality", "p_value")]
    + [("error", pyarrow.string())]
)
SUFFIXES = {".png", ".dcm", ".dicom"}


def is_image(path):
    """Whether a file in a folder is taken: by its name, or without a suffix if it is DICOM (PS3.10, section 7.1)."""
    if path.suffix:
        return path.suffix.lower() in SUFFIXES
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def end_with_parent():
    """Ends this process when its parent ends, also if that was killed (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Server:
    """A dia-server on the loopback interface, for one worker."""

    def __init__(self, options):
        command = [options["server"], "--models", options["models"], "--host", "127.0.0.1", "--port", "0"]
        if options["threads"]:
            command += ["--threads", str(options["threads"])]
        # A worker sends it the images of one batch at a time.
        self.process = subprocess.Popen(
            command + ["--log-level", "warning"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=end_with_parent,
        )
        self.errors = []
        threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True).start()
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if not found:
            self.process.wait(10)
            raise RuntimeError("dia-server did not start: " + "".join(self.errors)[-2000:])
        self.url = found.group()


class Scorer:
    """A worker: scores batches of paths and writes one Parquet file for each."""

    def __init__(self, options):
        self.options = options
        self.server = None if options["url"] else Server(options)

    def __call__(self, batch):
        paths = [str(path) for path in batch["path"]]
        rows = self.score(paths)
        errors = sum(row["error"] is not None for row in rows)
        # The same batch always has the same name, so if a worker is killed and the batch is repeated, the file is replaced.
        name = hashlib.sha256("\0".join(paths).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        folder = pathlib.Path(self.options["out"])
        unfinished = folder / f".{name}.{os.getpid()}"
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, SCHEMA), unfinished)
        os.replace(unfinished, folder / f"{name}.parquet")
        return {"images": [len(rows)], "errors": [errors]}

    def score(self, paths):
        """Returns the rows of `paths`."""
        options = self.options
        command = [options["dia"], "score", "--url", options["url"] or self.server.url, "--format", "jsonl", "--quiet"]
        for name in ("model", "key_file", "ca"):
            if options[name]:
                command += ["--" + name.replace("_", "-"), options[name]]
        run = subprocess.run(
            command + ["--from-file", "-", "--null"],
            input="\0".join(paths).encode("utf-8", "surrogateescape"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        # Not by path: dia can write it in another form.
        found = {line["index"]: line for line in lines}
        if run.returncode not in (0, 1) or not found:
            # Nothing was scored, for example because the server cannot be reached: the batch fails, and has no rows.
            raise RuntimeError("dia score failed: " + run.stderr.decode(errors="replace")[-2000:])
        return [self.row(path, found.get(index)) for index, path in enumerate(paths)]

    @staticmethod
    def row(path, line):
        row = dict.fromkeys(SCHEMA.names) | {"path": path}
        if line is None:
            return row | {"error": "dia wrote no result for the file"}
        if "error" in line:
            return row | {"error": line["error"]["detail"]}
        result = line["result"]
        model = result["model"]
        return row | {
            "model": model["name"], "version": model["version"], "digest": model["digest"],
            "verdict": result["verdict"], "score": result["score"], "normality": result["normality"],
            "p_value": result["p_value"],
        }


def listed(options):
    """Returns the paths of the input, each once, sorted."""
    source = pathlib.Path(options.input)
    if source.is_dir():
        files = (path for path in source.rglob("*") if path.is_file())
        visible = (path for path in files if not any(part.startswith(".") for part in path.relative_to(source).parts))
        paths = [path for path in visible if is_image(path)]
    elif source.suffix.lower() == ".parquet":
        try:
            paths = pyarrow.parquet.read_table(source, columns=[options.column])[options.column].to_pylist()
        except (KeyError, pyarrow.ArrowInvalid) as error:
            print(f"score_images.py: {source}: {error}", file=sys.stderr)
            sys.exit(2)
    elif source.is_file():
        paths = [line for line in source.read_text(errors="surrogateescape").splitlines() if line]
    else:
        print(f"score_images.py: {source}: no such file or folder", file=sys.stderr)
        sys.exit(2)
    return sorted(set(map(str, paths)))


def finished(options):
    """Returns the paths that have a row, and removes what interrupted workers left behind."""
    for leftover in options.out.glob(".*.*"):
        leftover.unlink(missing_ok=True)
    if not any(options.out.glob("*.parquet")):
        return set()
    rows = pyarrow.dataset.dataset(options.out, schema=SCHEMA, format="parquet").to_table(columns=["path", "error"])
    return {row["path"] for row in rows.to_pylist()}


def remove_errors(options):
    """Removes the rows with an error, so that these images are scored again."""
    for file in options.out.glob("*.parquet"):
        table = pyarrow.parquet.read_table(file)
        kept = table.filter(pyarrow.compute.is_null(table["error"]))
        if len(kept) < len(table):
            pyarrow.parquet.write_table(kept, options.out / f".{file.name}.{os.getpid()}")
            os.replace(options.out / f".{file.name}.{os.getpid()}", file)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", help="a folder, a text file with a path on each line, or a .parquet file")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the Parquet files")
    parser.add_argument("--column", default="path", help="column of the paths in a .parquet file (default: path)")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--models", help="folder of models: each worker starts a dia-server with it")
    where.add_argument("--url", help="address of a dia-server that all workers use")
    parser.add_argument("--model", help="name of the model; by default that of the server")
    parser.add_argument("--key-file", help="file with the API key for --url")
    parser.add_argument("--ca", help="certificate authority for --url (PEM)")
    parser.add_argument("--workers", type=int, help="number of workers (default: one for each --threads processors)")
    parser.add_argument("--threads", type=int, default=2, help="processors of a worker and its server (default: 2)")
    parser.add_argument("--batch", type=int, default=200, help="images of a batch (default: 200)")
    parser.add_argument("--retry-errors", action="store_true", help="score images with an error again")
    parser.add_argument("--address", help="address of the Ray cluster; by default Ray's own rules, or a local one")
    parser.add_argument("--dia", default="dia", help="the client (default: dia)")
    parser.add_argument("--server", default="dia-server", help="the server for --models (default: dia-server)")
    options = parser.parse_args()
    for name in ("threads", "batch", "workers"):
        value = getattr(options, name)
        if value is not None and not 1 <= value <= 100_000:
            parser.error(f"--{name} must be from 1 to 100000")
    return options


def main():
    options = parsed()
    options.out.mkdir(parents=True, exist_ok=True)
    options.out = options.out.resolve()
    if options.retry_errors:
        remove_errors(options)
    paths = listed(options)
    done = finished(options)
    remaining = [path for path in paths if path not in done]
    print(f"{len(paths)} images, {len(paths) - len(remaining)} have a row", file=sys.stderr)
    if remaining:
        try:
            score(options, remaining)
        except ray.exceptions.RayError as error:
            print(f"score_images.py: {reason(error)}", file=sys.stderr)
            print("Images that were finished have their rows; the same command continues.", file=sys.stderr)
            sys.exit(1)
    rows = pyarrow.dataset.dataset(options.out, schema=SCHEMA, format="parquet").to_table(columns=["error", "digest"])
    failed = len(rows) - rows["error"].null_count
    digests = {digest for digest in rows["digest"].unique().to_pylist() if digest}
    if len(digests) > 1:
        print(f"score_images.py: {options.out} has rows of {len(digests)} models; use another --out", file=sys.stderr)
        sys.exit(1)
    print(f"{len(rows)} rows, {failed} with an error, in {options.out}", file=sys.stderr)
    sys.exit(1 if failed else 0)


def reason(error):
    """Returns the message of a worker's error, which Ray wraps in several others."""
    texts = []
    while error is not None:
        texts.append(str(error))
        error = getattr(error, "cause", None) or error.__cause__
    messages = re.findall(r"RuntimeError: (.+)", "\n".join(texts))
    return messages[-1] if messages else texts[-1]


def score(options, paths):
    """Scores `paths` on the cluster."""
    ray.init(address=options.address, include_dashboard=False, log_to_driver=False, logging_level="error")
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    processors = int(ray.cluster_resources().get("CPU", 1))
    workers = options.workers or max(1, processors // options.threads)
    settings = {
        name: getattr(options, name) for name in ("models", "url", "model", "key_file", "ca", "threads", "dia", "server")
    } | {"out": str(options.out)}
    blocks = -(-len(paths) // options.batch)
    images = ray.data.from_items([{"path": path} for path in paths], override_num_blocks=blocks)
    results = images.map_batches(
        Scorer,
        fn_constructor_args=[settings],
        batch_size=None,
        # A worker that is lost is started again, and its batch is repeated.
        compute=ray.data.ActorPoolStrategy(size=workers),
        # Ray needs a share of the processors itself.
        num_cpus=min(options.threads, 0.9 * processors / workers),
    )
    start, count, errors, shown = time.monotonic(), 0, 0, 0.0
    for batch in results.iter_batches(batch_size=None):
        count += int(sum(batch["images"]))
        errors += int(sum(batch["errors"]))
        now = time.monotonic()
        if now - shown > 2 or count == len(paths):
            rate = count / (now - start)
            left = (len(paths) - count) / rate
            print(
                f"{count}/{len(paths)}  {rate:.1f}/s  {int(left // 60)} min {int(left % 60)} s left  {errors} errors",
                file=sys.stderr,
            )
            shown = now
    ray.shutdown()


if __name__ == "__main__":
    main()
