#!/usr/bin/env bash
# Unpacks nginx and HAProxy of Debian, unless they are installed: their packages would start services.
set -euo pipefail
cd "$(dirname "$0")/../.."
packages=()
PATH=$PATH:/usr/sbin command -v nginx > /dev/null || packages+=(nginx)
PATH=$PATH:/usr/sbin command -v haproxy > /dev/null || packages+=(haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1)
[ ${#packages[@]} = 0 ] || Tools/debian-unpack.sh .build/balancers/debian "${packages[@]}"
