#!/usr/bin/env bash
# Builds the Debian package dia-client in a root file system of each Debian release, as root (`make deb-client`), because
# the releases have different versions of DCMTK. Uses the Swift toolchain of this machine.
#
#   [STATIC=.build-deploy] [MIRROR=URL] build-client.sh FOLDER [bookworm] [trixie]
#
# $STATIC keeps the root file systems, with the build in /build/dia/.build of each. Builds the last commit.
set -euo pipefail
cd "$(dirname "$0")/../.."
static=$PWD/${STATIC:-.build-deploy}
folder=$1
shift
[ $# -gt 0 ] || set -- bookworm trixie
. Tests/Deploy/containers.sh
require debootstrap unshare swift
find_mirror

# The folder with usr/bin/swift and the rest of the toolchain.
toolchain=$(dirname "$(dirname "$(dirname "$(realpath "$(command -v swift)")")")")
# What the toolchain needs, what dpkg-shlibdeps needs, and the libraries of `dia`.
packages=(gcc g++ libc6-dev binutils git ca-certificates libxml2 libcurl4 libsqlite3-0 libncurses6 libedit2 libuuid1
    dpkg-dev python3 make pkg-config
    libopenblas-dev libpng-dev libssl-dev zlib1g-dev libcurl4-openssl-dev libdcmtk-dev libopenjp2-7-dev)

# The sources of the Swift packages, as resolved on this machine, so that the build needs no network.
swift package resolve --scratch-path "$static" > "$static/resolve.log" 2>&1 || { cat "$static/resolve.log"; exit 1; }
mkdir -p "$folder"
folder=$(realpath "$folder")
for release in "$@"; do
    derived_tree "$release" build "${packages[@]}" ||
        { echo "FAILED: $release: no root file system, see the logs in $static/trees"; exit 1; }
    tree=$static/trees/$release-build
    mkdir -p "$tree/build/dia/.build" "$tree/build/toolchain" "$tree/build/packages"
    git archive HEAD | tar -C "$tree/build/dia" -xf -
    cp Package.resolved "$tree/build/dia/"
    for part in checkouts repositories workspace-state.json; do
        rm -rf "$tree/build/dia/.build/$part"
        cp -a "$static/$part" "$tree/build/dia/.build/"
    done
    echo "$release: building dia; this takes some minutes"
    rm -f "$tree"/build/packages/*
    # The mounts end with the namespace of the build, so that nothing stays mounted.
    unshare --mount --propagation private bash -c '
        set -e
        . Tests/Deploy/containers.sh
        mount --bind "$1" "$2/build/toolchain"
        in_tree "$2" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 "VERSION=$3" "SOURCE_DATE_EPOCH=$4" \
            PATH=/build/toolchain/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin /build/dia/deploy/debian/client-in-tree.sh
        ' bash "$toolchain" "$tree" "${VERSION:-}" "${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" \
        > "$tree.build.log" 2>&1 < /dev/null || { tail -30 "$tree.build.log"; echo "FAILED: $release"; exit 1; }
    cp "$tree"/build/packages/*.deb "$folder/"
    (cd "$tree/build/packages" && ls *.deb)
done
