#!/usr/bin/env bash
# Tests the packages in Debian releases without a Swift toolchain (`make packages-test`): the package dia-server in a booted
# container (installation, start, scores, upgrade, model rollback, purge), dia-client if it was built for the release, the
# archive, and the steps of the Containerfile. Writes one log per release to $LOGS.
#
#   [STATIC=.build-deploy] [PACKAGES=.build-deploy/packages] [LOGS=.build-deploy/logs] [MIRROR=URL]
#       packages-test.sh [bookworm] [trixie]
#
# Exits with 0 if no test failed. A test that cannot run on this machine prints "skipped:" with the reason.
set -euo pipefail
cd "$(dirname "$0")/../.."
static=$PWD/${STATIC:-.build-deploy}
packages=$(realpath "${PACKAGES:-.build-deploy/packages}")
logs=${LOGS:-.build-deploy/logs}
[ $# -gt 0 ] || set -- bookworm trixie
. Tests/Deploy/containers.sh
require systemd-nspawn debootstrap
find_mirror
clean_at_exit
mkdir -p "$logs"

architecture=$(dpkg --print-architecture)
version=$("$static/release/dia-server" --version)
server=$packages/dia-server_${version}_$architecture.deb
archive=$packages/dia-server-$version-$(uname -m).tar.gz

# The same executable and time give the same bytes. A later version, for the upgrade.
later=$version+later
echo "building the packages again"
again=$(mktemp -d "$static/again.XXXXXX")
trap 'clean; rm -rf "$again"' EXIT
deploy/debian/build.sh dia-server "$static/release/dia-server" "$again" > /dev/null
cmp "$server" "$again/$(basename "$server")" || { echo "FAILED: the package is not reproducible"; exit 1; }
deploy/tarball/build.sh "$static/release/dia-server" "$again" > /dev/null
cmp "$archive" "$again/$(basename "$archive")" || { echo "FAILED: the archive is not reproducible"; exit 1; }
VERSION=$later deploy/debian/build.sh dia-server "$static/release/dia-server" "$again" > /dev/null
echo "passed: packages built twice are the same"

failed=0
for release in "$@"; do
    base_tree "$release" ||
        { echo "skipped: $release: debootstrap failed, see $static/trees/$release-base.log"; continue; }
    client=$(ls "$packages/dia-client_$version+deb$(cut -d. -f1 "$static/trees/$release-base/etc/debian_version")"_*.deb 2> /dev/null) ||
        { client=""; echo "skipped: dia-client on $release: it is not built (make deb-client)"; }

    new_container "$release" base
    # apt-get in the container has no network: it uses what is downloaded here. The service cannot be started here.
    cp "$server" ${client:+"$client"} "$work/root/test/"
    chroot "$work/root" /bin/sh -c 'apt-get install -y --no-install-recommends --download-only /test/*.deb' \
        > "$work/download" 2>&1 || { cat "$work/download"; echo "FAILED: $release: the dependencies cannot be met"; failed=1; clean; continue; }
    [ -z "$client" ] || mv "$work/root/test/$(basename "$client")" "$work/root/test/client.deb"
    mv "$work/root/test/$(basename "$server")" "$work/root/test/server.deb"
    cp "$again/dia-server_${later}_$architecture.deb" "$work/root/test/later.deb"
    files=Tests/DICOMTests/Files
    run_container Tests/Packages/inside.sh examples/lesion.png $files/{ct-signed,jpeg-lossless,jpeg-ls,j2k,rle}.dcm
    number=$(cut -d. -f1 "$work/root/etc/debian_version")
    report "$logs/packages-debian-$number.log" || failed=1
    clean

    # The archive, in a Debian without systemd running: unpack, install, score.
    new_container "$release" base
    cp "$archive" examples/lesion.png "$work/root/test/"
    if in_tree "$work/root" /bin/bash -s < Tests/Packages/archive.sh > "$logs/archive-debian-$number.log" 2>&1; then
        echo "passed: the archive on Debian $number ($logs/archive-debian-$number.log)"
    else
        echo "FAILED: the archive on Debian $number ($logs/archive-debian-$number.log)"
        tail -5 "$logs/archive-debian-$number.log"
        failed=1
    fi
    clean
done

# The image begins with Debian 12. The first stage is `make deb`, which has just run.
base_tree bookworm || exit 1
new_container bookworm base
mkdir -p "$work/built/packages"
cp "$server" "$work/built/packages/"
if Tests/Packages/containerfile.py deploy/container/Containerfile "$work/root" . "$work/built" > "$logs/container.log" 2>&1; then
    echo "passed: the steps of the Containerfile ($logs/container.log)"
else
    echo "FAILED: the steps of the Containerfile ($logs/container.log)"
    tail -5 "$logs/container.log"
    failed=1
fi
exit $failed
