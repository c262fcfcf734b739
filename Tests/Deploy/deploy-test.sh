#!/usr/bin/env bash
# Boots Debian releases in containers, copies the output of `make install` to them, and tests the systemd service (`make
# deploy-test`). Writes one log per release to $LOGS. $STATIC keeps the root file systems and the build.
#
#   [STATIC=.build-deploy] [LOGS=.build-deploy/logs] [MIRROR=URL] deploy-test.sh [bookworm] [trixie]
#
# Exits with 0 if no test failed. A test that cannot run on this machine prints "skipped:" with the reason.
set -euo pipefail
cd "$(dirname "$0")/../.."
static=$PWD/${STATIC:-.build-deploy}
logs=${LOGS:-.build-deploy/logs}
[ $# -gt 0 ] || set -- bookworm trixie
. Tests/Deploy/containers.sh
require systemd-nspawn debootstrap
find_mirror
clean_at_exit

mkdir -p "$static" "$logs"
nice make --no-print-directory install DESTDIR="$static/stage" \
    PREFIX=/usr/local UNITS=/etc/systemd/system > "$static/install.log" 2>&1 || { cat "$static/install.log"; exit 1; }
# The libraries listed in dia-server.service.
packages=$(sed -n 's/^# *apt-get install //p' deploy/systemd/dia-server.service)
failed=0
for release in "$@"; do
    derived_tree "$release" libraries $packages ||
        { echo "skipped: $release: debootstrap failed, see the logs in $static/trees"; continue; }
    new_container "$release" libraries
    # In the same way as the comment in dia-server.service describes for another machine.
    tar -C "$static/stage" -cf - . | tar -C "$work/root" -xpf - --no-same-owner --no-overwrite-dir
    run_container Tests/Deploy/inside.sh examples/lesion.png
    version=$(cat "$work/root/etc/debian_version")
    report "$logs/deploy-debian-${version%%.*}.log" || failed=1
    clean
done
exit $failed
