#!/usr/bin/env bash
# Installs Chromium, its driver and a font with apt-get, as root or with sudo, and the Python packages of page_test.py in
# a virtual environment. nginx is unpacked and not installed: its package would start a server on port 80.
set -euo pipefail
cd "$(dirname "$0")/../.."
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
missing=()
for package in chromium chromium-driver fonts-dejavu-core python3-venv; do
    dpkg -s $package > /dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing ${missing[*]} with apt-get"
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

nginx=.build/page-nginx
if ! PATH=$PATH:/usr/sbin command -v nginx > /dev/null && [ ! -x $nginx/usr/sbin/nginx ]; then
    rm -rf $nginx
    mkdir -p $nginx
    # The lists of packages may be older than the newest nginx.
    (cd $nginx && apt-get download -qq nginx 2> /dev/null) ||
        { "${sudo[@]}" apt-get update -qq && (cd $nginx && apt-get download -qq nginx); } ||
        echo "nginx cannot be downloaded; its test is skipped"
    for file in $nginx/*.deb; do [ ! -e "$file" ] || dpkg-deb --extract "$file" $nginx; done
fi

exec Tools/python-venv.sh .build/page-venv Tests/Page/requirements.txt
