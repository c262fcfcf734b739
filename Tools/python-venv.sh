#!/usr/bin/env bash
# Creates the virtual environment VENV with the packages in REQUIREMENTS, unless it has them: python-venv.sh VENV REQUIREMENTS
set -euo pipefail
venv=$1 requirements=$2
cmp -s "$requirements" "$venv/requirements.txt" && exit
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
cp "$requirements" "$venv/requirements.txt"
