#!/usr/bin/env python3
"""Runs the steps of the last stage of a Containerfile in a root file system, and its health check, without an engine.

    containerfile.py CONTAINERFILE TREE CONTEXT BUILT

TREE is a copy of the image that the stage begins with. COPY takes files from CONTEXT, the root of the repository, and
COPY --from=build from BUILT, a folder that stands for the root of the first stage. Then the entry point runs as the
user of the image, in its own mount, network and process namespaces with a read-only root, until the health check passes;
an image is scored with a program of this machine, and SIGTERM must end the server with status 0.

Any instruction that is not known is an error, so that the test cannot pass by overlooking one. As root. Standard library
only.
"""

import glob
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

KNOWN = {"FROM", "COPY", "RUN", "USER", "ENV", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"}
# Runs in the namespaces, as root: makes the root read-only, starts the server as the user, and checks it.
INSIDE = """
set -eu
ip link set lo up 2> /dev/null || true
mount --bind "$TREE" "$TREE"
mount -t proc proc "$TREE/proc"
mount --rbind /dev "$TREE/dev"
mount -o remount,bind,ro "$TREE"
inside() { chroot --userspec="$IMAGE_USER" "$TREE" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin $IMAGE_ENV "$@"; }
if touch "$TREE/written" 2> /dev/null; then echo "FAILED: the root can be written"; exit 1; fi
echo "ok: the root cannot be written"
inside id
if inside $IMAGE_ENTRYPOINT > "$LOG" 2>&1; then echo "FAILED: it starts without keys on all addresses"; exit 1; fi
grep -o 'without-keys' "$LOG" | head -1
echo "ok: it does not start on all addresses without keys"
if inside $IMAGE_HEALTHCHECK > /dev/null 2>&1; then echo "FAILED: healthy without a server"; exit 1; fi
echo "ok: the health check fails without a server"
# The process that gets SIGTERM must be the server, so this is not the function.
chroot --userspec="$IMAGE_USER" "$TREE" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin $IMAGE_ENV DIA_WITHOUT_KEYS=true \
    $IMAGE_ENTRYPOINT > "$LOG" 2>&1 &
server=$!
tries=0
until inside $IMAGE_HEALTHCHECK > /dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 120 ] && kill -0 $server || { cat "$LOG"; echo "FAILED: not healthy within 60 seconds"; exit 1; }
    sleep 0.5
done
echo "ok: the health check passes"
curl --silent --show-error --fail --max-time 30 --noproxy '*' --data-binary "@$IMAGE" http://127.0.0.1:8080/v1/score
echo
kill -TERM $server
status=0
wait $server || status=$?
[ $status = 0 ] || { echo "FAILED: status $status after SIGTERM"; exit 1; }
echo "ok: status 0 after SIGTERM"
"""


def instructions(path):
    """Returns the instructions of the last stage as pairs of a word and the rest of the line."""
    text = re.sub(r"\\\n\s*", "", "\n".join(l for l in path.read_text().splitlines() if not l.startswith("#")))
    parsed = [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]
    first = max(number for number, (word, _) in enumerate(parsed) if word == "FROM")
    for word, _ in parsed[first:]:
        if word not in KNOWN:
            sys.exit(f"{path}: the instruction {word} is not known to this test")
    return parsed[first:]


def copy(words, tree, context, built):
    """Copies as COPY does: the content of a folder, or a file."""
    source_root = context
    if words[0].startswith("--from="):
        source_root = built
        words = words[1:]
    source, target = source_root / words[0].lstrip("/"), tree / words[1].lstrip("/")
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    path, tree, context, built = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    image = {"IMAGE_USER": "root", "IMAGE_ENV": "", "IMAGE_ENTRYPOINT": "", "IMAGE_HEALTHCHECK": ""}
    for word, rest in instructions(path):
        print(f"{word} {rest}", flush=True)
        if word == "COPY":
            copy(rest.split(), tree, context, built)
        elif word == "RUN":
            subprocess.run(["chroot", tree, "/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", "/bin/sh", "-c", rest], check=True)
        elif word == "USER":
            identifier = subprocess.check_output(["chroot", tree, "id", "-u", rest], text=True).strip()
            group = subprocess.check_output(["chroot", tree, "id", "-g", rest], text=True).strip()
            if identifier == "0":
                sys.exit("FAILED: the user is root")
            image["IMAGE_USER"] = f"{identifier}:{group}"
        elif word == "ENV":
            image["IMAGE_ENV"] += rest + " "
        elif word == "ENTRYPOINT":
            image["IMAGE_ENTRYPOINT"] = " ".join(json.loads(rest))
        elif word == "HEALTHCHECK":
            image["IMAGE_HEALTHCHECK"] = " ".join(json.loads(rest.split("CMD", 1)[1]))
    if glob.glob(str(tree / "packages*")):
        sys.exit("FAILED: the packages are still in the image")
    image |= {"TREE": str(tree), "IMAGE": str(context / "examples/lesion.png"), "LOG": f"{tree}.log"}
    command = ["timeout", "200", "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "bash", "-c", INSIDE]
    sys.exit(subprocess.run(command, env={**os.environ, **image}).returncode)


if __name__ == "__main__":
    main()
