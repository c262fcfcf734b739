#!/usr/bin/env bash
# Run as root by deploy-test.sh in the booted container: starts the service as described in the comment in
# dia-server.service and tests it. Writes a log to /test/log and "passed" or "failed" to /test/result. The container is
# powered off afterward.
exec > /test/log 2>&1
cd /test || exit

section() { printf '\n== %s\n' "$*"; }
run() {
    printf '$ %s\n' "$*"
    "$@"
}
fail() {
    echo "FAILED: $*"
    systemctl status --no-pager --full dia-server.service dia-server.socket
    finish failed
}
finish() {
    section "Journal of the service and the socket"
    journalctl --no-pager --output short-monotonic --unit dia-server.service --unit dia-server.socket
    section "Result: $1"
    echo "$1" > /test/result
    exit
}
# Runs a command four times a second until it succeeds, for at most 20 seconds.
eventually() {
    for _ in $(seq 80); do
        "$@" > /dev/null && echo "ok: $*" && return
        sleep 0.25
    done
    fail "did not succeed within 20 seconds: $*"
}
# wait_for PROPERTY VALUE: waits until a property of the service has a value.
wait_for() { eventually has "$1" "$2"; }
has() { [ "$(property "$1")" = "$2" ]; }
property() { systemctl show --value --property "$1" dia-server.service; }
# expect PROPERTY VALUE: fails unless a property of the service has a value.
expect() {
    local value
    value=$(property "$1")
    [ "$value" = "$2" ] || fail "$1 is '$value', expected '$2'"
    echo "ok: $1 is $2"
}
# post STATUS [CURL ARGUMENTS]: posts the image and checks the response status; score also prints the response. A 503
# while the models are being loaded is retried after its Retry-After.
base=http://127.0.0.1:8080
post() {
    local expected=$1 status
    shift
    status=$(curl --silent --show-error --max-time 30 --retry 60 --retry-max-time 100 --output response --write-out '%{http_code}' \
        --form image=@lesion.png "$@" "$base/v1/score")
    echo "POST $base/v1/score: $status"
    [ "$status" = "$expected" ] || fail "the status is $status, expected $expected: $(cat response)"
}
score() {
    post "$@"
    cat response
}
# expect_model MODEL: fails unless the last score was computed by the model.
expect_model() {
    grep -q "\"name\": *\"$1\"" response || fail "the response is not from the model $1"
    echo "ok: the model is $1"
}
# logged TEXT [COUNT]: whether at least COUNT lines (default: 1) of the service's journal contain the text.
logged() {
    local count
    count=$(journalctl --quiet --no-pager --output cat --unit dia-server.service | grep -c "$1")
    [ "$count" -ge "${2:-1}" ]
}

echo "Test of dia-server's systemd units, written by make deploy-test"
section "System"
run systemctl is-system-running --wait
run systemctl list-units --failed --no-pager
run systemctl --version | head -2
run cat /etc/debian_version
run stat --file-system --format %T /sys/fs/cgroup
run cat /sys/fs/cgroup/cgroup.controllers
run ldd /usr/local/bin/dia-server | sed 's/ (0x.*//'
ldd /usr/local/bin/dia-server | grep -q 'not found' && fail "the executable is missing a library"
command -v swift && fail "a Swift toolchain is installed, so this does not test whether the executable runs without one"

section "Validate the units"
run systemd-analyze verify --man=no /etc/systemd/system/dia-server.service /etc/systemd/system/dia-server.socket 2>&1 |
    tee warnings
tail -n +2 warnings | grep -q dia-server && fail "systemd-analyze reports problems in the units"
echo "ok: no warnings"

section "Start as described in dia-server.service"
expect ActiveState inactive
run systemctl daemon-reload
run systemctl enable --now dia-server.socket dia-server.service || fail "the service does not start"
expect ActiveState active
expect SubState running
expect Type notify
expect StatusText Serving
expect NRestarts 0
run curl --silent --show-error --fail --max-time 10 "$base/readyz" || fail "the service is not ready"

section "Score an image with the default model"
score 200
expect_model chest

section "Reload"
pid=$(property MainPID)
run systemctl reload dia-server.service || fail "the reload failed"
eventually logged '"reloaded"'
wait_for SubState running
expect MainPID "$pid"
score 200

section "After SIGKILL the service is restarted, without a limit on the number of restarts; a client waits meanwhile"
for time in 1 2 3 4 5 6; do
    pid=$(property MainPID)
    run kill -9 "$pid"
    post 200
    wait_for SubState running
    [ "$(property MainPID)" != "$pid" ] || fail "the process was not replaced"
    expect NRestarts "$time"
done

section "After SIGSTOP the watchdog ends the service, and it is restarted"
mkdir -p /run/systemd/system/dia-server.service.d
printf '[Service]\nWatchdogSec=2\nTimeoutAbortSec=2\n' > /run/systemd/system/dia-server.service.d/watchdog.conf
run systemctl daemon-reload
run systemctl restart dia-server.service || fail "the service does not start with another watchdog interval"
pid=$(property MainPID)
run kill -STOP "$pid"
other() { [ "$(property MainPID)" != "$pid" ] && [ "$(property SubState)" = running ]; }
eventually other
score 200
logged 'Watchdog timeout' || fail "the journal has no watchdog timeout"
rm -r /run/systemd/system/dia-server.service.d
run systemctl daemon-reload

section "Stop"
run systemctl stop dia-server.socket dia-server.service || fail "the service does not stop"
expect ActiveState inactive
expect SubState dead
expect Result success
expect ExecMainStatus 0

section "Socket activation: the first client starts the service"
run systemctl start dia-server.socket || fail "the socket does not start"
expect ActiveState inactive
score 200
expect ActiveState active

section "/etc/dia/environment overrides the options in the unit"
run install -d -m 700 /etc/dia
[ ! -e /etc/dia/environment ] || cp /etc/dia/environment environment
run tee -a /etc/dia/environment <<< DIA_DEFAULT_MODEL=phantom
run systemctl restart dia-server.service || fail "the service does not start with an environment file"
score 200
expect_model phantom
rm /etc/dia/environment
[ ! -e environment ] || cp environment /etc/dia/environment

section "Key file that only root can read"
(umask 077; dia-server hash-key pacs --scopes score,admin >> /etc/dia/keys 2> key) || fail "cannot generate a key"
run stat --format '%A %U %n' /etc/dia/keys
run install -D -m 644 /usr/local/share/dia/dia-server-credentials.conf \
    /etc/systemd/system/dia-server.service.d/credentials.conf
run systemctl daemon-reload
run systemctl restart dia-server.service || fail "the service does not start with a key file"
score 401
score 200 --header "Authorization: Bearer $(cat key)"

section "A changed key file takes effect after a restart, not after a reload"
(umask 077; dia-server hash-key second --scopes score >> /etc/dia/keys 2> second) || fail "cannot generate a key"
run systemctl reload dia-server.service || fail "the reload failed"
eventually logged '"reloaded"' 2
post 401 --header "Authorization: Bearer $(cat second)"
run systemctl restart dia-server.service || fail "the service does not start with two keys"
post 200 --header "Authorization: Bearer $(cat second)"
post 200 --header "Authorization: Bearer $(cat key)"

section "TLS with a private key that only root can read"
(umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 -keyout /etc/dia/key.pem -out /etc/dia/chain.pem 2> /dev/null)
run stat --format '%A %U %n' /etc/dia/key.pem
run sed -i 's/^#\([LE]\)/\1/' /etc/systemd/system/dia-server.service.d/credentials.conf
grep -v '^#' /etc/systemd/system/dia-server.service.d/credentials.conf
run systemctl daemon-reload
run systemctl restart dia-server.service || fail "the service does not start with a certificate"
base=https://127.0.0.1:8080
post 401 --cacert /etc/dia/chain.pem
score 200 --cacert /etc/dia/chain.pem --header "Authorization: Bearer $(cat key)"
run systemctl reload dia-server.service || fail "the reload failed"
eventually logged '"reloaded"' 3
post 200 --cacert /etc/dia/chain.pem --header "Authorization: Bearer $(cat key)"

section "Stop"
run systemctl stop dia-server.socket dia-server.service || fail "the service does not stop"
expect ActiveState inactive
expect Result success
logged 'status=31/SYS' && fail "the service was killed by SIGSYS, so the unit forbids a system call that it needs"
echo "ok: not killed by SIGSYS"

section "Security settings"
run systemd-analyze security --no-pager dia-server.service
finish passed
