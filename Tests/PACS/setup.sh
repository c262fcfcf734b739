#!/usr/bin/env bash
# Installs Orthanc, DCMTK's tools and dciodvfy with apt-get, as root or with sudo, and the Python packages of pacs_test.py in
# a virtual environment. Orthanc is started by the test, not as a service.
set -euo pipefail
cd "$(dirname "$0")/../.."
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
missing=()
for package in orthanc orthanc-dicomweb dcmtk dicom3tools iproute2 python3-venv; do
    dpkg -s $package > /dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing ${missing[*]} with apt-get"
    "${sudo[@]}" apt-get update -qq
    # A service of Orthanc would listen on all addresses.
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi
exec Tools/python-venv.sh .build/pacs-venv Tests/PACS/requirements.txt
