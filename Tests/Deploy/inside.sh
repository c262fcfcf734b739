#!/usr/bin/env bash
# What deploy-test.sh runs in the booted container, as root: the service as its install comment starts it. Writes
# /test/log, and "passed" or "failed" into /test/result; the container is powered off after it.
exec > /test/log 2>&1
cd /test || exit

say() { printf '\n== %s\n' "$*"; }
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
    say "The journal of the service and its socket"
    journalctl --no-pager --output short-monotonic --unit dia-server.service --unit dia-server.socket
    say "Result: $1"
    echo "$1" > /test/result
    exit
}
# Runs the arguments four times a second until they succeed, for at most 20 seconds.
eventually() {
    for _ in $(seq 80); do
        "$@" > /dev/null && echo "ok: $*" && return
        sleep 0.25
    done
    fail "not within 20 seconds: $*"
}
# becomes PROPERTY VALUE
becomes() { eventually has "$1" "$2"; }
has() { [ "$(property "$1")" = "$2" ]; }
property() { systemctl show --value --property "$1" dia-server.service; }
# is PROPERTY VALUE
is() {
    local value
    value=$(property "$1")
    [ "$value" = "$2" ] || fail "$1 is '$value', not '$2'"
    echo "ok: $1 is $2"
}
# post STATUS [CURL ARGUMENTS]: posts the image and checks the status; score also shows the answer. A 503 while the
# models are loaded is retried after its Retry-After.
base=http://127.0.0.1:8080
post() {
    local expected=$1 status
    shift
    status=$(curl --silent --show-error --max-time 30 --retry 10 --retry-max-time 60 --output answer --write-out '%{http_code}' \
        --form image=@lesion.png "$@" "$base/v1/score")
    echo "POST $base/v1/score: $status"
    [ "$status" = "$expected" ] || fail "the status is $status, not $expected: $(cat answer)"
}
score() {
    post "$@"
    cat answer
}
# answered MODEL: whether the last score is of the model.
answered() {
    grep -q "\"name\": *\"$1\"" answer || fail "the answer is not of the model $1"
    echo "ok: the model is $1"
}
# said TEXT [TIMES]: whether the service's journal has the text so often.
said() {
    local times
    times=$(journalctl --quiet --no-pager --output cat --unit dia-server.service | grep -c "$1")
    [ "$times" -ge "${2:-1}" ]
}

echo "dia-server's systemd units, tried by make deploy-test"
say "The system"
run systemctl is-system-running --wait
run systemctl list-units --failed --no-pager
run systemctl --version | head -2
run cat /etc/debian_version
run stat --file-system --format %T /sys/fs/cgroup
run cat /sys/fs/cgroup/cgroup.controllers
run ldd /usr/local/bin/dia-server | sed 's/ (0x.*//'
ldd /usr/local/bin/dia-server | grep -q 'not found' && fail "a library is missing"
command -v swift && fail "there is a Swift toolchain, so the executable is not shown to run without one"

say "The units are understood by this systemd"
run systemd-analyze verify --man=no /etc/systemd/system/dia-server.service /etc/systemd/system/dia-server.socket 2>&1 |
    tee warnings
tail -n +2 warnings | grep -q dia-server && fail "systemd has something to say about the units"
echo "ok: no warning"

say "Start, as the install comment says"
is ActiveState inactive
run systemctl daemon-reload
run systemctl enable --now dia-server.socket dia-server.service || fail "it does not start"
is ActiveState active
is SubState running
is Type notify
is StatusText Serving
is NRestarts 0
run curl --silent --show-error --fail --max-time 10 "$base/readyz" || fail "it is not ready"

say "An image is scored by the default model"
score 200
answered pneumonia

say "Reload"
pid=$(property MainPID)
run systemctl reload dia-server.service || fail "the reload fails"
eventually said '"reloaded"'
becomes SubState running
is MainPID "$pid"
score 200

say "Killed by SIGKILL, it is started again, however often; a client waits meanwhile"
for time in 1 2 3 4 5 6; do
    pid=$(property MainPID)
    run kill -9 "$pid"
    post 200
    becomes SubState running
    [ "$(property MainPID)" != "$pid" ] || fail "the process is the same"
    is NRestarts "$time"
done

say "Stopped by SIGSTOP, it is ended by the watchdog and started again"
mkdir -p /run/systemd/system/dia-server.service.d
printf '[Service]\nWatchdogSec=2\nTimeoutAbortSec=2\n' > /run/systemd/system/dia-server.service.d/watchdog.conf
run systemctl daemon-reload
run systemctl restart dia-server.service || fail "it does not start with another watchdog"
pid=$(property MainPID)
run kill -STOP "$pid"
other() { [ "$(property MainPID)" != "$pid" ] && [ "$(property SubState)" = running ]; }
eventually other
score 200
said 'Watchdog timeout' || fail "it was not the watchdog"
rm -r /run/systemd/system/dia-server.service.d
run systemctl daemon-reload

say "Stop"
run systemctl stop dia-server.socket dia-server.service || fail "it does not stop"
is ActiveState inactive
is SubState dead
is Result success
is ExecMainStatus 0

say "Socket activation: the first client starts the service"
run systemctl start dia-server.socket || fail "the socket cannot be opened"
is ActiveState inactive
score 200
is ActiveState active

say "/etc/dia/environment goes before the unit's options"
run install -d -m 700 /etc/dia
[ ! -e /etc/dia/environment ] || cp /etc/dia/environment environment
run tee -a /etc/dia/environment <<< DIA_DEFAULT_MODEL=phantom
run systemctl restart dia-server.service || fail "it does not start with an environment file"
score 200
answered phantom
rm /etc/dia/environment
[ ! -e environment ] || cp environment /etc/dia/environment

say "Keys that only root can read"
(umask 077; dia-server hash-key pacs --scopes score,admin >> /etc/dia/keys 2> key) || fail "no key can be made"
run stat --format '%A %U %n' /etc/dia/keys
run install -D -m 644 /usr/local/share/dia/dia-server-credentials.conf \
    /etc/systemd/system/dia-server.service.d/credentials.conf
run systemctl daemon-reload
run systemctl restart dia-server.service || fail "it does not start with keys"
score 401
score 200 --header "Authorization: Bearer $(cat key)"

say "A changed file of keys is taken over by a restart, not by a reload"
(umask 077; dia-server hash-key second --scopes score >> /etc/dia/keys 2> second) || fail "no key can be made"
run systemctl reload dia-server.service || fail "the reload fails"
eventually said '"reloaded"' 2
post 401 --header "Authorization: Bearer $(cat second)"
run systemctl restart dia-server.service || fail "it does not start with two keys"
post 200 --header "Authorization: Bearer $(cat second)"
post 200 --header "Authorization: Bearer $(cat key)"

say "A certificate whose key only root can read"
(umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 -keyout /etc/dia/key.pem -out /etc/dia/chain.pem 2> /dev/null)
run stat --format '%A %U %n' /etc/dia/key.pem
run sed -i 's/^#\([LE]\)/\1/' /etc/systemd/system/dia-server.service.d/credentials.conf
grep -v '^#' /etc/systemd/system/dia-server.service.d/credentials.conf
run systemctl daemon-reload
run systemctl restart dia-server.service || fail "it does not start with a certificate"
base=https://127.0.0.1:8080
post 401 --cacert /etc/dia/chain.pem
score 200 --cacert /etc/dia/chain.pem --header "Authorization: Bearer $(cat key)"
run systemctl reload dia-server.service || fail "the reload fails"
eventually said '"reloaded"' 3
post 200 --cacert /etc/dia/chain.pem --header "Authorization: Bearer $(cat key)"

say "Stop"
run systemctl stop dia-server.socket dia-server.service || fail "it does not stop"
is ActiveState inactive
is Result success
said 'status=31/SYS' && fail "a system call was forbidden by SIGSYS"
echo "ok: never killed by SIGSYS"

say "How exposed the service is"
run systemd-analyze security --no-pager dia-server.service
finish passed
