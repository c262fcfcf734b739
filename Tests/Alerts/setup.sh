#!/usr/bin/env bash
# Unpacks Prometheus of Debian, unless it is installed: its package would start a service.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v promtool > /dev/null || Tools/debian-unpack.sh .build/alerts/debian prometheus
