#!/usr/bin/env bash
# Run as root by packages-test.sh in the booted container: installs, starts, upgrades and purges the packages in /test.
# Writes a log to /test/log and "passed" or "failed" to /test/result. The container is powered off afterward. It has no
# network; the dependencies are in apt's cache.
exec > /test/log 2>&1
cd /test || exit
export DEBIAN_FRONTEND=noninteractive

section() { printf '\n== %s\n' "$*"; }
run() {
    printf '$ %s\n' "$*"
    "$@"
}
finish() {
    section "Result: $1"
    echo "$1" > /test/result
    exit
}
fail() {
    echo "FAILED: $*"
    systemctl status --no-pager --full dia-server.service dia-server.socket
    journalctl --no-pager --output short-monotonic --lines 50 --unit dia-server.service --unit dia-server.socket
    finish failed
}
property() { systemctl show --value --property "$1" dia-server.service; }
expect() {
    local value
    value=$(property "$1")
    [ "$value" = "$2" ] || fail "$1 is '$value', expected '$2'"
    echo "ok: $1 is $2"
}
base=http://127.0.0.1:8080
# score STATUS [CURL ARGUMENTS]: posts the image and checks the response status. 503 while the models are being loaded is
# retried after its Retry-After.
score() {
    local expected=$1 status
    shift
    status=$(curl --silent --show-error --max-time 30 --retry 60 --retry-max-time 100 --output response \
        --write-out '%{http_code}' --form image=@lesion.png "$@" "$base/v1/score")
    [ "$status" = "$expected" ] || fail "the status is $status, expected $expected: $(cat response)"
    echo "ok: POST $base/v1/score: $status"
}
# expect_model NAME VERSION: fails unless the last score was computed by this version of this model.
expect_model() {
    grep -q "\"name\": *\"$1\"" response && grep -q "\"version\": *\"$2\"" response ||
        fail "the response is not from the model $1 $2: $(cat response)"
    echo "ok: the model is $1 $2"
}
number() { grep -o '"normality": *[-0-9.e]*' response; }
# reload: reloads the models and waits until the log says so.
reload() {
    local before
    before=$(reloads)
    run systemctl reload dia-server.service || fail "the reload failed"
    for _ in $(seq 80); do
        [ "$(reloads)" = "$before" ] || return 0
        sleep 0.25
    done
    fail "no reload within 20 seconds"
}
reloads() { journalctl --quiet --no-pager --output cat --unit dia-server.service | grep -c '"reloaded"'; }
# tree: the files of the system with their types, modes and owners, and the content of those in /etc. Without what every
# installation of any package changes: logs, apt's and dpkg's own files, caches, and the backups of /etc/passwd.
tree() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /test -o -path /tmp -o -path /var/tmp \
        -o -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/systemd \) \
        -prune -o -printf '%y %m %u %g %p %l\n' | grep -vE '^. [0-9]+ [^ ]+ [^ ]+ /etc/[a-z]+- ' | sort
    find /etc -type f ! -name '*-' ! -name ld.so.cache -exec sha256sum {} + | sort
}

echo "Test of the Debian packages, written by make packages-test"
section "System"
systemctl is-system-running --wait
run cat /etc/debian_version
command -v swift && fail "a Swift toolchain is installed, so this does not test whether the executable runs without one"
tree > before

section "Install: nothing is started or enabled"
start=$(date +%s%N)
run apt-get install -y --no-install-recommends /test/server.deb || fail "the package cannot be installed"
echo "the installation took $((($(date +%s%N) - start) / 1000000)) ms"
run dpkg-query --show --showformat '${Package} ${Version}, installed size ${Installed-Size} KB, depends on ${Depends}\n' dia-server
expect ActiveState inactive
for unit in dia-server.service dia-server.socket; do
    [ "$(systemctl is-enabled $unit)" = disabled ] || fail "$unit is enabled"
    [ "$(systemctl is-active $unit)" = inactive ] || fail "$unit is active"
done
curl --silent "$base/livez" && fail "something listens on port 8080"
echo "ok: nothing listens"
run ldd /usr/bin/dia-server | sed 's/ (0x.*//'
ldd /usr/bin/dia-server | grep -q 'not found' && fail "the executable is missing a library"
run id dia || fail "there is no user dia"
run ls -l /var/lib/dia/models
for file in /usr/share/man/man8/dia-server.8.gz /usr/share/man/man8/dia-server-hash-key.8.gz \
    /usr/share/bash-completion/completions/dia-server /usr/share/zsh/vendor-completions/_dia-server \
    /usr/share/fish/vendor_completions.d/dia-server.fish; do
    dpkg --search "$file" > /dev/null || fail "the package has no $file"
done
bash -n /usr/share/bash-completion/completions/dia-server || fail "the completions are not valid"
run dpkg --verify dia-server || fail "files differ from the package"
run systemd-analyze verify --man=no dia-server.service dia-server.socket 2>&1 | tee warnings
tail -n +2 warnings | grep -q dia-server && fail "systemd-analyze reports problems in the units"
run runuser -u dia -- dia-server --models /var/lib/dia/models --check || fail "the bundled models cannot be loaded"

section "Start, score"
run systemctl enable --now dia-server.socket dia-server.service || fail "the service does not start"
expect ActiveState active
[ "$(stat --format %U "/proc/$(property MainPID)")" = dia ] || fail "the service does not run as dia"
echo "ok: the service runs as dia"
score 200
cat response
grep -q '"name": *"pneumonia"' response || fail "the response is not from the model pneumonia"
version=$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' response | head -1)

section "Configure; remove a model"
run tee -a /etc/dia/environment <<< DIA_MAX_PIXELS=20000000
run rm /var/lib/dia/models/breast
run systemctl restart dia-server.service || fail "the service does not start with another configuration"
score 200
expect_model pneumonia "$version"
normality=$(number)

section "Upgrade while a client sends requests: the service is restarted, the configuration stays, no connection is refused"
pid=$(property MainPID)
(while [ ! -e stop ]; do
    curl --silent --show-error --max-time 30 --output /dev/null --write-out '%{http_code}\n' --form image=@lesion.png \
        "$base/v1/score"
done) > statuses 2>&1 &
client=$!
run apt-get install -y /test/later.deb || fail "the upgrade failed"
score 200
touch stop
wait $client
sort statuses | uniq -c
grep -vxE '200|503' statuses && fail "a request got neither 200 nor 503"
run dpkg-query --show dia-server
[ "$(property MainPID)" != "$pid" ] || fail "the service was not restarted"
expect ActiveState active
grep -qx DIA_MAX_PIXELS=20000000 /etc/dia/environment || fail "the configuration was replaced"
tr '\0' '\n' < "/proc/$(property MainPID)/environ" | grep -x DIA_MAX_PIXELS=20000000 || fail "the configuration is not used"
[ ! -e /var/lib/dia/models/breast ] || fail "the removed model is back"
[ "$(number)" = "$normality" ] || fail "the score changed from $normality to $(number)"
echo "ok: the same score, $normality"

section "A new version of a model, and back"
run mkdir /var/lib/dia/versions
run cp -r /usr/share/dia/models/pneumonia /var/lib/dia/versions/pneumonia-new
run sed -i 's/"version" *: *"[^"]*"/"version": "99.0.0"/' /var/lib/dia/versions/pneumonia-new/model.json
run dia-server --models /var/lib/dia/versions/pneumonia-new --check || fail "the new version cannot be loaded"
run ln -sfn /var/lib/dia/versions/pneumonia-new /var/lib/dia/models/pneumonia
reload
score 200
expect_model pneumonia 99.0.0
run ln -sfn /usr/share/dia/models/pneumonia /var/lib/dia/models/pneumonia
reload
score 200
expect_model pneumonia "$version"
[ "$(number)" = "$normality" ] || fail "the score changed from $normality to $(number)"

if [ -e client.deb ]; then
    section "dia-client"
    run apt-get install -y --no-install-recommends /test/client.deb || fail "dia-client cannot be installed"
    run dpkg-query --show --showformat '${Package} ${Version}, installed size ${Installed-Size} KB, depends on ${Depends}\n' dia-client
    ldd /usr/bin/dia | grep 'not found' && fail "dia is missing a library"
    run dia health || fail "dia health failed"
    run dia score lesion.png || fail "dia score failed"
    for file in *.dcm; do
        run dia render --out rendered "$file" || fail "dia render failed"
    done
    [ "$(ls rendered | wc -l)" = "$(ls ./*.dcm | wc -l)" ] || fail "dia render did not write a file for each image"
    run dia score --models /usr/share/dia/models/phantom lesion.png || fail "dia score without a server failed"
    run apt-get purge -y dia-client || fail "dia-client cannot be purged"
fi

section "API keys"
(umask 077; dia-server hash-key pacs --scopes score,admin >> /etc/dia/keys 2> key) || fail "cannot generate a key"
run install -D -m 644 /usr/share/dia/dia-server-credentials.conf \
    /etc/systemd/system/dia-server.service.d/credentials.conf
run systemctl daemon-reload
run systemctl restart dia-server.service || fail "the service does not start with a key file"
score 401
score 200 --header "Authorization: Bearer $(cat key)"

section "Remove: the service stops, the configuration stays"
run apt-get remove -y dia-server || fail "the package cannot be removed"
curl --silent "$base/livez" && fail "the server still runs after the removal"
grep -qx DIA_MAX_PIXELS=20000000 /etc/dia/environment || fail "the removal took the configuration away"
run apt-get install -y /test/later.deb || fail "the package cannot be installed again"
run systemctl start dia-server.socket dia-server.service || fail "the service does not start after it was installed again"
score 200 --header "Authorization: Bearer $(cat key)"

section "Purge: nothing is left"
run apt-get purge -y --autoremove dia-server || fail "the package cannot be purged"
curl --silent "$base/livez" && fail "the server still runs after the purge"
run systemctl reset-failed
tree > after
run diff before after || fail "files are left, or were changed"
getent passwd dia && fail "the user dia is left"
getent group dia && fail "the group dia is left"
dpkg-query --show 'dia-*' 2> /dev/null | grep . && fail "dpkg knows the package"
echo "ok: $(grep -c . before) files and checksums are as before"
finish passed
