#!/usr/bin/env bash
# Installs sslyze in a virtual environment, for the test that scans the server's TLS. Without it that test is skipped.
cd "$(dirname "$0")/../.."
venv=.build/sslyze-venv
[ -x $venv/bin/sslyze ] && exit
python3 -m venv $venv > /dev/null 2>&1 && timeout 120 $venv/bin/pip install --quiet sslyze > /dev/null 2>&1 \
    || echo "sslyze cannot be installed; the TLS scan is skipped"
exit 0
