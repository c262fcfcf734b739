#!/usr/bin/env bash
# Installs each client of the Open Inference Protocol in a virtual environment of its own: their requirements conflict.
set -e
cd "$(dirname "$0")/../.."
install() {
    venv=.build/clients/$1
    [ -f "$venv/$2" ] && return
    echo "Installing $2"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$3"
    touch "$venv/$2"
}
install triton tritonclient-2.73.0 "tritonclient[http]==2.73.0"
install kserve kserve-0.21.0 "kserve==0.21.0"
install mlserver mlserver-1.7.1 "mlserver==1.7.1"
