# Run by packages-test.sh with bash in a Debian root file system, without systemd: unpacks the archive in /test, as its
# README describes, and scores an image.
set -euo pipefail
cd /test
if command -v swift; then
    echo "FAILED: a Swift toolchain is installed"
    exit 1
fi
tar -xzf dia-server-*.tar.gz
cd dia-server-*/
if ./install.sh; then
    echo "FAILED: it installs without the libraries"
    exit 1
fi
[ ! -e /usr/local/bin/dia-server ]
echo "ok: nothing is installed if libraries are missing"
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    libopenblas0 libpng16-16 libssl3 zlib1g libstdc++6 > /dev/null
score() { # score EXECUTABLE MODELS: starts a server on a free port, scores the image, ends the server
    "$1" --models "$2" --default-model pneumonia --port 0 > /test/out 2>&1 &
    local pid=$! url="" status=0
    for _ in $(seq 240); do
        url=$(sed -n 's/.*ready at \(http[^ ]*\).*/\1/p' /test/out | head -1)
        [ -z "$url" ] || break
        kill -0 $pid || break
        sleep 0.25
    done
    [ -n "$url" ] || { cat /test/out; kill $pid; return 1; }
    curl --silent --show-error --fail --max-time 30 --noproxy '*' --data-binary @share/dia/examples/lesion.png "$url/v1/score" || status=1
    echo
    kill -TERM $pid
    wait $pid || status=1
    return $status
}
score bin/dia-server share/dia/models
echo "ok: scores where it was unpacked"
DESTDIR=/test/stage ./install.sh --prefix /opt/dia
grep -q 'ExecStart=/opt/dia/bin/dia-server' /test/stage/etc/systemd/system/dia-server.service
find / -xdev \( -path /test -o -path /proc -o -path /sys -o -path /tmp \) -prune -o -print | sort > /test/before
./install.sh
echo "# changed" >> /etc/dia/environment
./install.sh
tail -1 /etc/dia/environment | grep -qx "# changed"
echo "ok: a second installation keeps the configuration"
score /usr/local/bin/dia-server /usr/local/share/dia/models
echo "ok: scores as installed"
./install.sh --uninstall
rm -r /etc/dia
rmdir /usr/local/share/man/man8 2> /dev/null || true
find / -xdev \( -path /test -o -path /proc -o -path /sys -o -path /tmp \) -prune -o -print | sort > /test/after
diff /test/before /test/after
echo "ok: nothing is left after --uninstall, except /etc/dia"
