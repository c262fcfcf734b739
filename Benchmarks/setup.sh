#!/usr/bin/env bash
# Sets up the benchmarks: a virtual environment with the peers from PyPI, and models of the paper's size (random weights).
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.build/bench-venv
if [ ! -x $venv/bin/uvicorn ]; then
    command -v python3 > /dev/null || { echo "python3 is needed for the benchmarks' peers"; exit 1; }
    python3 -m venv $venv || { echo "python3-venv is needed: apt-get install python3-venv"; exit 1; }
    $venv/bin/pip install --quiet -r Benchmarks/requirements.txt
fi
mkdir -p .build/bench
[ -f .build/bench/paper/model.json ] || $venv/bin/python - << 'PYTHON'
import pathlib, sys
sys.path.insert(0, "Tests/Reference")
import make_models
folder = pathlib.Path(".build/bench")
make_models.model(folder, "paper", 32, 64, [1, 2, 4, 8], 1, 32, "pad", "cosine", "cifar", 64, 128, "rotation", False)
make_models.model(folder, "imagenet", 224, 24, [1, 2], 1, 32, "resize", "cosine", "imagenet", 64, 128, "rotation", False)
PYTHON
