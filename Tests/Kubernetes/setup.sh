#!/usr/bin/env bash
# Installs kubectl and the schemas of Kubernetes in a virtual environment, and unpacks Prometheus of Debian without
# installing it: its package would start a service.
set -euo pipefail
cd "$(dirname "$0")/../.."
sudo=(); [ "$(id -u)" = 0 ] || sudo=(sudo)
unpacked=.build/kubernetes/debian
if ! command -v prometheus > /dev/null && [ ! -x $unpacked/usr/bin/prometheus ]; then
    echo "Unpacking prometheus"
    rm -rf $unpacked
    mkdir -p $unpacked
    # The lists of packages may be older than the newest version.
    (cd $unpacked && apt-get download -qq prometheus 2> /dev/null) ||
        { "${sudo[@]}" apt-get update -qq && (cd $unpacked && apt-get download -qq prometheus); }
    dpkg-deb --extract $unpacked/prometheus_*.deb $unpacked
    rm $unpacked/*.deb
fi
exec Tools/python-venv.sh .build/kubernetes/venv Tests/Kubernetes/requirements.txt
