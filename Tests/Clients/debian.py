"""Programs of Debian that setup.sh has unpacked and not installed, because their packages would start services."""

import os
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNPACKED = ROOT / ".build/clients/debian"
LIBRARIES = UNPACKED / "usr/lib" / f"{os.uname().machine}-linux-gnu"


def executable(name):
    """Returns the path of a program: the one that is installed or else the unpacked one; None if there is none."""
    folders = [UNPACKED / "usr/sbin", UNPACKED / "usr/bin", UNPACKED / "usr/lib/go-1.19/bin"]
    return shutil.which(name, path=":".join([os.environ["PATH"], "/usr/sbin", *map(str, folders)]))


def environment():
    """Returns the environment of an unpacked program."""
    return os.environ | {"LD_LIBRARY_PATH": str(LIBRARIES)}
