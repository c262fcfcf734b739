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

skip() {
    echo "skipped: $*"
    exit 0
}
[ "$(id -u)" = 0 ] || skip "only root can boot a container"
for tool in systemd-nspawn debootstrap; do
    command -v $tool > /dev/null || skip "$tool is missing (Debian: apt-get install systemd-container debootstrap)"
done
# The first mirror in the configuration of this machine.
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2> /dev/null |
    grep -v security | head -1)} || true
[ -n "$mirror" ] || skip "no Debian mirror is configured for apt-get; set MIRROR=URL"

child="" work="" group=""
# Ends only the process that this script started: the container's supervisor. The container ends with it.
clean() {
    if [ -n "$child" ] && kill -0 "$child" 2> /dev/null; then
        kill "$child" 2> /dev/null || true
        wait "$child" 2> /dev/null || true
    fi
    child=""
    for _ in $(seq 20); do
        [ -z "$group" ] || [ ! -d "$group" ] && break
        find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.25
    done
    group=""
    [ -z "$work" ] || rm -rf "$work"
    work=""
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# tree RELEASE: creates a minimal Debian with systemd and the libraries listed in dia-server.service, unless it exists.
tree() {
    local tree=$static/trees/$1 packages
    packages=$(sed -n 's/^# *apt-get install //p' deploy/systemd/dia-server.service)
    [ "$(cat "$tree.made" 2> /dev/null)" != "$packages" ] || return 0
    rm -rf "$tree" "$tree.made"
    mkdir -p "$static/trees"
    echo "$1: creating the root file system; this takes a few minutes"
    {
        nice debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl,openssl "$1" "$tree" "$mirror" &&
            DEBIAN_FRONTEND=noninteractive nice chroot "$tree" apt-get install -y --no-install-recommends $packages &&
            rm -rf "$tree"/var/cache/apt/archives/*.deb && echo "$packages" > "$tree.made"
    } > "$tree.log" 2>&1 < /dev/null
}

# boot MACHINE DIRECTORY: runs the container until it is powered off, for at most five minutes. If systemd runs on this
# machine, it creates a scope for the container. Otherwise the container gets cgroup version 2 in its own mount
# namespace, because systemd 257 does not start with version 1.
boot() {
    local options=(--quiet --boot --register=no --private-network --link-journal=no --resolv-conf=off --timezone=off
        "--machine=$1" --hostname=dia-test "--directory=$2" --console=pipe)
    if [ -d /run/systemd/system ]; then
        exec timeout --kill-after=10 300 systemd-nspawn "${options[@]}"
    fi
    exec timeout --kill-after=10 300 unshare --mount --propagation private bash -c '
        set -e
        umount --recursive --lazy /sys/fs/cgroup 2> /dev/null || true
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
        mount -t tmpfs tmpfs /run
        mkdir "/sys/fs/cgroup/$1"
        echo $$ > "/sys/fs/cgroup/$1/cgroup.procs"
        shift
        exec systemd-nspawn --keep-unit "$@"' bash "$1" "${options[@]}"
}

mkdir -p "$static" "$logs"
nice make --no-print-directory install DESTDIR="$static/stage" \
    PREFIX=/usr/local UNITS=/etc/systemd/system > "$static/install.log" 2>&1 || { cat "$static/install.log"; exit 1; }
failed=0
for release in "$@"; do
    tree "$release" || { echo "skipped: $release: debootstrap failed, see $static/trees/$release.log"; continue; }
    work=$(mktemp -d "$static/run-$release.XXXXXX")
    machine=dia-${work##*run-} machine=${machine//./-}
    cp -a "$static/trees/$release" "$work/root"
    # In the same way as the comment in dia-server.service describes for another machine.
    tar -C "$static/stage" -cf - . | tar -C "$work/root" -xpf - --no-same-owner --no-overwrite-dir
    mkdir -p "$work/root/test"
    install -m 755 Tests/Deploy/inside.sh "$work/root/test/"
    install -m 644 examples/lesion.png "$work/root/test/"
    # A processor type that is set for OpenBLAS on this machine is also needed in the container.
    if [ -n "${OPENBLAS_CORETYPE:-}" ]; then
        install -d -m 700 "$work/root/etc/dia"
        echo "OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE" > "$work/root/etc/dia/environment"
    fi
    echo dia-test > "$work/root/etc/hostname"
    # Without a machine ID this would be a first boot, which enables all units.
    tr -d - < /proc/sys/kernel/random/uuid > "$work/root/etc/machine-id"
    rm -f "$work/root/etc/resolv.conf"
    cat > "$work/root/etc/systemd/system/deploy-test.service" << 'UNIT'
[Unit]
Description=Test of dia-server's units
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
ExecStart=/test/inside.sh
RuntimeMaxSec=200
UNIT
    mkdir -p "$work/root/etc/systemd/system/multi-user.target.wants"
    ln -s ../deploy-test.service "$work/root/etc/systemd/system/multi-user.target.wants/"
    version=$(cat "$work/root/etc/debian_version")
    [ -d /run/systemd/system ] || group=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET)/$machine
    boot "$machine" "$work/root" < /dev/null > "$work/console" 2>&1 &
    child=$!
    wait "$child" || true
    child=""
    result=$(cat "$work/root/test/result" 2> /dev/null || true)
    if [ ! -e "$work/root/test/log" ]; then
        echo "skipped: $release: the container does not boot on this machine:"
        tail -5 "$work/console"
    else
        log=$logs/deploy-debian-${version%%.*}.log
        cp "$work/root/test/log" "$log"
        if [ "$result" = passed ]; then
            echo "passed: Debian $version ($log)"
        else
            echo "FAILED: Debian $version ($log)"
            grep FAILED: "$log" || echo "the test did not finish"
            failed=1
        fi
    fi
    clean
done
exit $failed
