#!/usr/bin/env bash
# Unpacks nginx and HAProxy of Debian, unless they are installed: their packages would start services.
set -euo pipefail
cd "$(dirname "$0")/../.."
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
unpacked=.build/balancers/debian
packages=()
PATH=$PATH:/usr/sbin command -v nginx > /dev/null || packages+=(nginx)
PATH=$PATH:/usr/sbin command -v haproxy > /dev/null || packages+=(haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1)
[ ${#packages[@]} = 0 ] || [ -f $unpacked/complete ] && exit
echo "Unpacking ${packages[*]}"
rm -rf $unpacked
mkdir -p $unpacked
# The lists of packages may be older than the newest versions.
(cd $unpacked && apt-get download -qq "${packages[@]}" 2> /dev/null) ||
    { "${sudo[@]}" apt-get update -qq && (cd $unpacked && apt-get download -qq "${packages[@]}"); }
for file in $unpacked/*.deb; do dpkg-deb --extract "$file" $unpacked; done
rm $unpacked/*.deb
touch $unpacked/complete
