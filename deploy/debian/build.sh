#!/usr/bin/env bash
# Makes the Debian package dia-server or dia-client from a built executable (`make deb`, `make deb-client`).
#
#   [VERSION=X] [SOURCE_DATE_EPOCH=SECONDS] build.sh dia-server|dia-client EXECUTABLE FOLDER
#
# The same executable and SOURCE_DATE_EPOCH (default: the time of the last commit, or that of
# CHANGELOG.md without a repository) give the same bytes. Needs dpkg-dev.
set -euo pipefail
cd "$(dirname "$0")/../.."
package=$1 folder=$3
executable=$(realpath "$2")
version=${VERSION:-$("$executable" --version)}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || stat --format %Y CHANGELOG.md)}
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/DEBIAN"

# put MODE TARGET [SOURCE]: installs a file, by default standard input.
put() { install -D -m "$1" "${3:-/dev/stdin}" "$root/$2"; }

# documents COMMAND SECTION: installs the man pages, the shell completions and the files that every package has.
documents() {
    local page
    python3 Tools/man_pages.py "$executable" "$work/man" "$2"
    for page in "$work"/man/*; do
        gzip -9n < "$page" | put 644 "usr/share/man/man$2/$(basename "$page").gz"
    done
    "$executable" --generate-completion-script bash | put 644 "usr/share/bash-completion/completions/$1"
    "$executable" --generate-completion-script zsh | put 644 "usr/share/zsh/vendor-completions/_$1"
    "$executable" --generate-completion-script fish | put 644 "usr/share/fish/vendor_completions.d/$1.fish"
    put 644 "usr/share/doc/$package/copyright" deploy/debian/copyright
    gzip -9n < CHANGELOG.md | put 644 "usr/share/doc/$package/changelog.gz"
}

case $package in
dia-server)
    # The same files as `make install`. The unit is then changed to the package's user and models.
    make --no-print-directory stage SERVER="$executable" DESTDIR="$root" PREFIX=/usr UNITS=/usr/lib/systemd/system
    unit=$root/usr/lib/systemd/system/dia-server.service
    sed -i -e '1,/^\[Unit\]/{/^#/d}' -e 's|^DynamicUser=yes$|User=dia|' \
        -e 's|^Environment=DIA_MODELS=.*|Environment=DIA_MODELS=/var/lib/dia/models|' "$unit"
    for line in User=dia Environment=DIA_MODELS=/var/lib/dia/models; do
        grep -qx "$line" "$unit" || { echo "$0: dia-server.service has no line to replace by '$line'" >&2; exit 1; }
    done
    put 644 etc/dia/environment deploy/debian/dia-server/environment
    mkdir -p "$root/var/lib/dia/models"
    documents dia-server 8
    ;;
dia-client)
    put 755 usr/bin/dia "$executable"
    documents dia 1
    ;;
*)
    echo "$0: '$package' is not dia-server or dia-client" >&2
    exit 64
    ;;
esac

program=$(find "$root/usr/bin" -type f)
strip --strip-unneeded "$program"
# SwiftPM adds $ORIGIN, the folder of the executable.
if readelf --dynamic "$program" | grep -E 'RPATH|RUNPATH' | grep -v 'runpath: \[$ORIGIN\]$'; then
    echo "$0: $executable looks for libraries in a folder of the machine that it was built on" >&2
    exit 1
fi
if readelf --dynamic "$program" | grep 'NEEDED.*libswift'; then
    echo "$0: $executable needs a Swift runtime; build it with --static-swift-stdlib" >&2
    exit 1
fi

# Debian 13 renamed some libraries (64-bit time). On 64-bit architectures both names are the same library, so a package
# for the older release accepts either.
mkdir "$work/debian"
printf 'Source: dia\n\nPackage: %s\nArchitecture: any\n' "$package" > "$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O -e"$program" 2> "$work/shlibdeps.log" | sed -n 's/^shlibs:Depends=//p') ||
    { cat "$work/shlibdeps.log" >&2; exit 1; }
[ -n "$depends" ] || { echo "$0: dpkg-shlibdeps found no libraries" >&2; exit 1; }
depends=$(sed -E 's/\b(libpng16-16|libssl3|libcurl4)( \([^)]*\))?(,|$)/\1\2 | \1t64\2\3/g' <<< "$depends")

(cd "$root" && find etc -type f -printf '/%p\n' 2> /dev/null | sort) > "$work/conffiles" || true
[ ! -s "$work/conffiles" ] || put 644 DEBIAN/conffiles "$work/conffiles"
for script in preinst postinst prerm postrm; do
    [ ! -e "deploy/debian/$package/$script" ] || put 755 "DEBIAN/$script" "deploy/debian/$package/$script"
done
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) | put 644 DEBIAN/md5sums
size=$(du --summarize --apparent-size --block-size=1K "$root" | cut -f1)
architecture=$(dpkg --print-architecture)
sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" -e "s|@SIZE@|$size|" -e "s/@DEPENDS@/$depends/" \
    "deploy/debian/$package/control" | put 644 DEBIAN/control
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$folder"
dpkg-deb --root-owner-group -Zzstd -z12 --build "$root" "$folder/${package}_${version}_$architecture.deb"
