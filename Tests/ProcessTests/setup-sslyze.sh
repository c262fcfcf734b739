#!/usr/bin/env bash
# sslyze in a private environment, for the test that scans the server's TLS; without it that test is skipped.
cd "$(dirname "$0")/../.."
venv=.build/sslyze-venv
[ -x $venv/bin/sslyze ] && exit
python3 -m venv $venv > /dev/null 2>&1 && timeout 120 $venv/bin/pip install --quiet sslyze > /dev/null 2>&1 \
    || echo "sslyze cannot be installed here; the test with it is skipped"
exit 0
