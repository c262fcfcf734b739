#!/usr/bin/env bash
# Boots Debian releases in containers, installs there what `make install` made, and tries the systemd service (`make
# deploy-test`). One full log a release in $LOGS; what is needed again (trees, build) stays in $STATIC.
#
#   [STATIC=.build-deploy] [LOGS=.build-deploy/logs] [MIRROR=URL] deploy-test.sh [bookworm] [trixie]
#
# Exits 0 if all passed or cannot be run here, which "skipped:" explains; 1 if one failed.
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
# The first mirror of this machine's own configuration.
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2> /dev/null |
    grep -v security | head -1)} || true
[ -n "$mirror" ] || skip "apt-get names no mirror of Debian; give one as MIRROR=URL"

child="" work="" group=""
# Ends only what this script started: the container's supervisor, whose end is the container's.
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

# tree RELEASE: a bare Debian with systemd and the libraries that the unit's comment names, made once.
tree() {
    local tree=$static/trees/$1 packages
    packages=$(sed -n 's/^# *apt-get install //p' deploy/systemd/dia-server.service)
    [ "$(cat "$tree.made" 2> /dev/null)" != "$packages" ] || return 0
    rm -rf "$tree" "$tree.made"
    mkdir -p "$static/trees"
    echo "$1: a tree of its own is made, some minutes"
    {
        nice debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl,openssl "$1" "$tree" "$mirror" &&
            DEBIAN_FRONTEND=noninteractive nice chroot "$tree" apt-get install -y --no-install-recommends $packages &&
            rm -rf "$tree"/var/cache/apt/archives/*.deb && echo "$packages" > "$tree.made"
    } > "$tree.log" 2>&1 < /dev/null
}

# boot MACHINE DIRECTORY: runs the container until it is powered off, for at most five minutes. Where systemd runs
# here, it gives the container a scope. Elsewhere the container gets cgroup version 2 in a mount namespace of its own,
# whichever version is mounted here: systemd 257 does not start with version 1.
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
    tree "$release" || { echo "skipped: $release: debootstrap fails, see $static/trees/$release.log"; continue; }
    work=$(mktemp -d "$static/run-$release.XXXXXX")
    machine=dia-${work##*run-} machine=${machine//./-}
    cp -a "$static/trees/$release" "$work/root"
    # As the unit's comment has it for another machine.
    tar -C "$static/stage" -cf - . | tar -C "$work/root" -xpf - --no-same-owner --no-overwrite-dir
    mkdir -p "$work/root/test"
    install -m 755 Tests/Deploy/inside.sh "$work/root/test/"
    install -m 644 examples/lesion.png "$work/root/test/"
    # Where OpenBLAS must be told its processor here, it must be there too.
    if [ -n "${OPENBLAS_CORETYPE:-}" ]; then
        install -d -m 700 "$work/root/etc/dia"
        echo "OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE" > "$work/root/etc/dia/environment"
    fi
    echo dia-test > "$work/root/etc/hostname"
    # With an identity of its own it is no first boot, which would enable all units.
    tr -d - < /proc/sys/kernel/random/uuid > "$work/root/etc/machine-id"
    rm -f "$work/root/etc/resolv.conf"
    cat > "$work/root/etc/systemd/system/deploy-test.service" << 'UNIT'
[Unit]
Description=The test of dia-server's units
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
        echo "skipped: $release: the container does not boot here:"
        tail -5 "$work/console"
    else
        log=$logs/deploy-debian-${version%%.*}.log
        cp "$work/root/test/log" "$log"
        if [ "$result" = passed ]; then
            echo "passed: Debian $version ($log)"
        else
            echo "FAILED: Debian $version ($log)"
            grep FAILED: "$log" || echo "the test did not come to its end"
            failed=1
        fi
    fi
    clean
done
exit $failed
