#!/bin/sh
# Installs or removes dia-server, from the unpacked archive, as root:
#
#   ./install.sh [--prefix /usr/local]        install, or replace an older version; /etc/dia stays as it is
#   ./install.sh [--prefix /usr/local] --uninstall
#
# DESTDIR=FOLDER installs below a folder. Starts nothing.
set -eu
cd "$(dirname "$0")"
prefix=/usr/local action=install
while [ $# -gt 0 ]; do
    case $1 in
    --prefix) prefix=${2:?"--prefix needs a folder"} && shift ;;
    --uninstall) action=uninstall ;;
    *) echo "usage: $0 [--prefix FOLDER] [--uninstall]" >&2 && exit 64 ;;
    esac
    shift
done
destination=${DESTDIR:-}
share=$destination$prefix/share/dia
units=$destination/etc/systemd/system

reload_units() {
    if [ -z "$destination" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
}

if [ "$action" = uninstall ]; then
    if [ -z "$destination" ] && [ -d /run/systemd/system ]; then
        systemctl disable --now dia-server.socket dia-server.service || true
    fi
    rm -f "$destination$prefix/bin/dia-server" "$units/dia-server.service" "$units/dia-server.socket" \
        "$destination$prefix"/share/man/man8/dia-server*.8
    rm -rf "$share"
    reload_units
    echo "Removed. The configuration in $destination/etc/dia is still there."
    exit
fi

# Checked first, so that nothing is installed that cannot start.
if missing=$(ldd bin/dia-server | grep 'not found'); then
    echo "$missing" >&2
    echo "Install the packages that have these libraries: OpenBLAS, libpng 1.6, OpenSSL 3, zlib, libstdc++." >&2
    exit 1
fi
mkdir -p "$destination$prefix/bin" "$destination$prefix/share/man/man8" "$share" "$units" "$destination/etc/dia"
# A running executable cannot be overwritten, but it can be replaced.
cp bin/dia-server "$destination$prefix/bin/.dia-server.new"
mv "$destination$prefix/bin/.dia-server.new" "$destination$prefix/bin/dia-server"
rm -rf "$share/models" "$share/examples"
cp -R share/dia/models share/dia/examples "$share/"
cp share/man/man8/* "$destination$prefix/share/man/man8/"
sed "s|/usr/local/|$prefix/|g" share/dia/dia-server-credentials.conf > "$share/dia-server-credentials.conf"
for unit in dia-server.service dia-server.socket; do
    sed "s|/usr/local/|$prefix/|g" "systemd/$unit" > "$units/$unit"
done
[ -e "$destination/etc/dia/environment" ] ||
    sed "s|/usr/local/|$prefix/|g" etc/environment > "$destination/etc/dia/environment"
reload_units
echo "Installed. To start dia-server on http://127.0.0.1:8080 now and at every boot:"
echo "  systemctl enable --now dia-server.socket dia-server.service"
echo "After an upgrade: systemctl try-restart dia-server.service"
