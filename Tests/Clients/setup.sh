#!/usr/bin/env bash
# Installs the clients. Those of Python are in virtual environments: the requirements of the clients of the Open Inference
# Protocol conflict. The argument "plain" leaves these out. Programs of Debian that would start a service are unpacked
# and not installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)

install() {
    local venv=.build/clients/$1 mark=.build/clients/$1/$2
    shift 2
    [ -f "$mark" ] && return
    echo "Installing $*"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
    touch "$mark"
}
install http http-2026-11 aiohttp==3.14.5 httpx==0.28.1 requests==2.34.2

missing=()
command -v curl > /dev/null || missing+=(curl)
command -v node > /dev/null || missing+=(nodejs)
# The launcher of a single source file needs the compiler.
command -v javac > /dev/null || missing+=(default-jdk-headless)
if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing ${missing[*]} with apt-get"
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

Tools/debian-unpack.sh .build/clients/debian nginx haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 prometheus \
    golang-1.19-go golang-1.19-src

[ "${1:-}" = plain ] && exit
install triton tritonclient-2.73.0 "tritonclient[http]==2.73.0"
install kserve kserve-0.21.0 "kserve==0.21.0"
install mlserver mlserver-1.7.1 "mlserver==1.7.1"
