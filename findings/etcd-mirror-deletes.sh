#!/bin/bash
# etcd's make-mirror never deletes what was deleted while it was not running.
#
# Tool: etcd-server and etcd-client 3.4.23-4+b4 (Debian 12), x86-64; two servers of one member each.
# Expected: make-mirror, started again, makes the copy equal to the original: it deletes on the copy what
#   was deleted meanwhile, as it does while it runs.
# Happens: it copies the keys that there are and then follows the changes. A key deleted (or expired, which
#   is a delete) in between stays on the copy for good; no line says so.
# Seen:
#   deleted while it ran: original '', copy ''
#   deleted while it was down: original '', copy 'one'
#   changed while it was down: original 'two', copy 'two'
#   lines of output about it: 0
# Why it matters: after a cutover to the copy, deleted keys are back; locks and registrations kept as
#   keys with leases among them, and the copy holds them without a lease.
set -u
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$work"' EXIT
cannot() { echo "cannot run here: $1" >&2; exit 77; }
debian() {  # unpacks package=version here; else takes the installed one, if it is of that version
  (cd "$work" && apt-get download "$1" >/dev/null 2>&1 && dpkg -x ./*.deb "$work/root" && rm ./*.deb) ||
    [ "$(dpkg-query -W -f '${Version}' "${1%%=*}" 2>/dev/null)" = "${1#*=}" ] ||
    cannot "Debian's package $1 is neither offered nor installed"
}
judge() {
  if [ "$seen" = "$expected" ]; then echo "$seen"; echo "still so"; exit 0; fi
  echo "changed: expected and seen differ:"; diff <(echo "$expected") <(echo "$seen"); exit 1
}
cd "$work" || exit 77
PATH=$work/root/usr/bin:$PATH

export ETCDCTL_API=3
debian etcd-server=3.4.23-4+b4
debian etcd-client=3.4.23-4+b4
read -r -a ports < <(python3 - <<'PY'
import socket

sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*(one.getsockname()[1] for one in sockets))
PY
)
original() { timeout 10 etcdctl --endpoints="127.0.0.1:${ports[0]}" "$@"; }
copy() { timeout 10 etcdctl --endpoints="127.0.0.1:${ports[2]}" "$@"; }
serve() {  # name, client port, peer port
  timeout 120 etcd --name "$1" --data-dir "$work/$1" --initial-cluster "$1=http://127.0.0.1:$3" \
    --listen-client-urls "http://127.0.0.1:$2" --advertise-client-urls "http://127.0.0.1:$2" \
    --listen-peer-urls "http://127.0.0.1:$3" --initial-advertise-peer-urls "http://127.0.0.1:$3" >"$1.log" 2>&1 &
  pids+=($!)
  for _ in $(seq 100); do "$1" endpoint health >/dev/null 2>&1 && return; sleep 0.2; done
  cannot "etcd did not start ($(tail -n 1 "$1.log"))"
}
mirror() {
  timeout 60 etcdctl --endpoints="127.0.0.1:${ports[0]}" make-mirror "127.0.0.1:${ports[2]}" >>mirror.log 2>&1 &
  mirrored=$!
  pids+=($!)
}
value() { "$1" get "$2" --print-value-only; }
follow() {  # until the copy's value of a key is the original's
  for _ in $(seq 100); do [ "$(value copy "$1")" = "$(value original "$1")" ] && return; sleep 0.2; done
  cannot "the mirror did not bring the key $1 in time"
}
both() { echo "$1: original '$(value original "$2")', copy '$(value copy "$2")'"; }

serve original "${ports[0]}" "${ports[1]}"
serve copy "${ports[2]}" "${ports[3]}"
for key in followed missed changed; do original put $key one >/dev/null; done
mirror
for key in followed missed changed; do follow $key; done
original del followed >/dev/null
follow followed
kill $mirrored
wait $mirrored
original del missed >/dev/null
original put changed two >/dev/null
: >mirror.log
mirror
follow changed
original put last one >/dev/null
follow last
seen=$(
  both "deleted while it ran" followed
  both "deleted while it was down" missed
  both "changed while it was down" changed
  echo "lines of output about it: $(grep -c missed mirror.log)"
)
expected="deleted while it ran: original '', copy ''
deleted while it was down: original '', copy 'one'
changed while it was down: original 'two', copy 'two'
lines of output about it: 0"
judge
