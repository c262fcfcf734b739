#!/usr/bin/env bash
# Installs schemathesis and openapi-python-client in a virtual environment.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=.build/contract-venv
cmp -s Tests/Contract/requirements.txt $venv/requirements.txt && exit
rm -rf $venv
python3 -m venv $venv
$venv/bin/pip install --quiet --disable-pip-version-check --requirement Tests/Contract/requirements.txt
cp Tests/Contract/requirements.txt $venv/requirements.txt
