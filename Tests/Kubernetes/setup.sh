#!/usr/bin/env bash
# Installs kubectl and the schemas of Kubernetes in a virtual environment, and unpacks Prometheus of Debian without
# installing it: its package would start a service.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v prometheus > /dev/null || Tools/debian-unpack.sh .build/kubernetes/debian prometheus
exec Tools/python-venv.sh .build/kubernetes/venv Tests/Kubernetes/requirements.txt
