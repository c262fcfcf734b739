#!/usr/bin/env bash
# Installs Chromium, its driver and a font with apt-get, as root or with sudo, and the Python packages of page_test.py in
# a virtual environment. nginx is unpacked and not installed: its package would start a server on port 80.
set -euo pipefail
cd "$(dirname "$0")/../.."
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
missing=()
for package in chromium chromium-driver fonts-dejavu-core python3-venv; do
    dpkg -s $package > /dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing ${missing[*]} with apt-get"
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

PATH=$PATH:/usr/sbin command -v nginx > /dev/null || Tools/debian-unpack.sh .build/page-nginx nginx ||
    echo "nginx cannot be downloaded; its test is skipped"

exec Tools/python-venv.sh .build/page-venv Tests/Page/requirements.txt
