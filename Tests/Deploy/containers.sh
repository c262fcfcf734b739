# Functions for tests in Debian root file systems; sourced by deploy-test.sh, packages-test.sh and build-client.sh.
#
# $static is the folder that keeps the root file systems. $mirror is set by find_mirror.

skip() {
    echo "skipped: $*"
    exit 0
}

# require TOOL...: skips the test unless it runs as root and the tools are installed.
require() {
    [ "$(id -u)" = 0 ] || skip "only root can boot a container"
    local tool
    for tool in "$@"; do
        command -v "$tool" > /dev/null ||
            skip "$tool is missing (Debian: apt-get install systemd-container debootstrap)"
    done
}

# Sets $mirror to $MIRROR or to the first mirror in the configuration of this machine.
find_mirror() {
    mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2> /dev/null |
        grep -v security | head -1)} || true
    [ -n "$mirror" ] || skip "no Debian mirror is configured for apt-get; set MIRROR=URL"
}

# base_tree RELEASE: creates a minimal Debian with systemd in $static/trees/RELEASE-base, unless it exists.
base_tree() {
    local tree=$static/trees/$1-base
    [ ! -e "$tree.made" ] || return 0
    rm -rf "$tree"
    mkdir -p "$static/trees"
    echo "$1: creating the root file system; this takes a few minutes"
    nice debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl,openssl "$1" "$tree" "$mirror" \
        > "$tree.log" 2>&1 < /dev/null && touch "$tree.made"
}

# derived_tree RELEASE NAME PACKAGE...: creates $static/trees/RELEASE-NAME, the minimal Debian with further packages,
# unless it exists with the same packages.
derived_tree() {
    local release=$1 tree=$static/trees/$1-$2
    shift 2
    [ "$(cat "$tree.made" 2> /dev/null)" != "$*" ] || return 0
    base_tree "$release" || return
    rm -rf "$tree" "$tree.made"
    cp -a "$static/trees/$release-base" "$tree"
    {
        DEBIAN_FRONTEND=noninteractive nice chroot "$tree" apt-get install -y --no-install-recommends "$@" &&
            rm -rf "$tree"/var/cache/apt/archives/*.deb && echo "$*" > "$tree.made"
    } > "$tree.log" 2>&1 < /dev/null
}

# in_tree DIRECTORY COMMAND...: runs a command in a root file system, without systemd, with /proc and /dev. The mount
# namespace ends with the command, so that nothing stays mounted.
in_tree() {
    unshare --mount --propagation private bash -c '
        set -e
        tree=$1
        shift
        mount -t proc proc "$tree/proc"
        mount --rbind /dev "$tree/dev"
        exec chroot "$tree" "$@"' bash "$@"
}

# boot MACHINE DIRECTORY: runs the container until it is powered off, for at most ten minutes. If systemd runs on this
# machine, it creates a scope for the container. Otherwise the container gets cgroup version 2 in its own mount
# namespace, because systemd 257 does not start with version 1.
boot() {
    local options=(--quiet --boot --register=no --private-network --link-journal=no --resolv-conf=off --timezone=off
        "--machine=$1" --hostname=dia-test "--directory=$2" --console=pipe)
    if [ -d /run/systemd/system ]; then
        exec timeout --kill-after=10 600 systemd-nspawn "${options[@]}"
    fi
    exec timeout --kill-after=10 600 unshare --mount --propagation private bash -c '
        set -e
        umount --recursive --lazy /sys/fs/cgroup 2> /dev/null || true
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
        mount -t tmpfs tmpfs /run
        mkdir "/sys/fs/cgroup/$1"
        echo $$ > "/sys/fs/cgroup/$1/cgroup.procs"
        shift
        exec systemd-nspawn --keep-unit "$@"' bash "$1" "${options[@]}"
}

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
clean_at_exit() {
    trap clean EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# new_container RELEASE NAME: copies the root file system RELEASE-NAME to $work/root and sets $machine.
new_container() {
    work=$(mktemp -d "$static/run-$1.XXXXXX")
    machine=dia-${work##*run-} machine=${machine//./-}
    cp -a "$static/trees/$1-$2" "$work/root"
    mkdir -p "$work/root/test"
}

# run_container SCRIPT [FILE]...: boots $work/root, runs SCRIPT there as root with the files in /test, waits until the
# container is powered off, and sets $result to the content of /test/result. The script writes /test/log.
run_container() {
    install -m 755 "$1" "$work/root/test/inside.sh"
    shift
    install -m 644 "$@" "$work/root/test/"
    # A processor type that is set for OpenBLAS on this machine is also needed in the container.
    if [ -n "${OPENBLAS_CORETYPE:-}" ]; then
        mkdir -p "$work/root/etc/systemd/system.conf.d"
        printf '[Manager]\nDefaultEnvironment=OPENBLAS_CORETYPE=%s\n' "$OPENBLAS_CORETYPE" \
            > "$work/root/etc/systemd/system.conf.d/openblas.conf"
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
RuntimeMaxSec=500
UNIT
    mkdir -p "$work/root/etc/systemd/system/multi-user.target.wants"
    ln -s ../deploy-test.service "$work/root/etc/systemd/system/multi-user.target.wants/"
    [ -d /run/systemd/system ] || group=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET)/$machine
    boot "$machine" "$work/root" < /dev/null > "$work/console" 2>&1 &
    child=$!
    wait "$child" || true
    child=""
    result=$(cat "$work/root/test/result" 2> /dev/null || true)
}

# report LOG: copies the container's log, prints whether the test passed, and returns 1 if it failed.
report() {
    local version
    version=$(cat "$work/root/etc/debian_version")
    if [ ! -e "$work/root/test/log" ]; then
        echo "skipped: Debian $version: the container does not boot on this machine:"
        tail -5 "$work/console"
        return 0
    fi
    cp "$work/root/test/log" "$1"
    if [ "$result" = passed ]; then
        echo "passed: Debian $version ($1)"
    else
        echo "FAILED: Debian $version ($1)"
        grep FAILED: "$1" || echo "the test did not finish"
        return 1
    fi
}
