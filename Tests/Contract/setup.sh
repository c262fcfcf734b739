#!/usr/bin/env bash
# Installs schemathesis and openapi-python-client in a virtual environment.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec Tools/python-venv.sh .build/contract-venv Tests/Contract/requirements.txt
