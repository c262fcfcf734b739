#!/usr/bin/env bash
# Installs Chromium and its driver with apt-get, as root or with sudo, and the Python packages of page_test.py in a
# virtual environment.
set -euo pipefail
cd "$(dirname "$0")/../.."
missing=()
for package in chromium chromium-driver python3-venv; do
    dpkg -s $package > /dev/null 2>&1 || missing+=($package)
done
if [ ${#missing[@]} -gt 0 ]; then
    sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
    echo "Installing ${missing[*]} with apt-get"
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi
venv=.build/page-venv
cmp -s Tests/Page/requirements.txt $venv/requirements.txt && exit
python3 -m venv $venv
$venv/bin/pip install --quiet --disable-pip-version-check --requirement Tests/Page/requirements.txt
cp Tests/Page/requirements.txt $venv/requirements.txt
