#!/usr/bin/env bash
# Downloads Debian packages and unpacks them in FOLDER, without installing them, because they would start services:
# debian-unpack.sh FOLDER PACKAGE...
set -euo pipefail
folder=$1
shift
[ "$(cat "$folder/complete" 2> /dev/null)" = "$*" ] && exit
echo "Unpacking $*"
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
rm -rf "$folder"
mkdir -p "$folder"
# The lists of packages may be older than the newest versions.
(cd "$folder" && apt-get download -qq "$@" 2> /dev/null) ||
    { "${sudo[@]}" apt-get update -qq && (cd "$folder" && apt-get download -qq "$@"); }
for file in "$folder"/*.deb; do dpkg-deb --extract "$file" "$folder"; done
rm "$folder"/*.deb
echo "$*" > "$folder/complete"
