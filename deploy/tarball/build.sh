#!/usr/bin/env bash
# Makes the archive of dia-server for distributions without a package (`make tarball`).
#
#   [VERSION=X] [SOURCE_DATE_EPOCH=SECONDS] build.sh EXECUTABLE FOLDER
#
# The archive holds a folder dia-server-VERSION-ARCHITECTURE with bin, share, systemd, etc, install.sh and README. The same
# executable and SOURCE_DATE_EPOCH (default: the time of the last commit, or that of
# CHANGELOG.md without a repository) give the same bytes.
set -euo pipefail
cd "$(dirname "$0")/../.."
executable=$(realpath "$1") folder=$2
version=${VERSION:-$("$executable" --version)}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || stat --format %Y CHANGELOG.md)}
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=dia-server-$version-$(uname -m)
root=$work/$name
# The units are written for /usr/local; install.sh changes them for another prefix.
make --no-print-directory stage SERVER="$executable" DESTDIR="$root" PREFIX= UNITS=/systemd
rm "$root"/systemd/* "$root/share/dia/dia-server-credentials.conf"
install -m 644 -t "$root/systemd" deploy/systemd/dia-server.service deploy/systemd/dia-server.socket
install -m 644 -t "$root/share/dia" deploy/systemd/dia-server-credentials.conf
strip --strip-unneeded "$root/bin/dia-server"
python3 Tools/man_pages.py "$executable" "$root/share/man/man8" 8
install -D -m 644 deploy/debian/dia-server/environment "$root/etc/environment"
sed -i 's|/var/lib/dia/models|/usr/local/share/dia/models|' "$root/etc/environment"
install -m 755 -t "$root" deploy/tarball/install.sh
install -m 644 -t "$root" deploy/tarball/README LICENSE
mkdir -p "$folder"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -cf - "$name" |
    gzip -9n > "$folder/$name.tar.gz"
echo "$folder/$name.tar.gz"
