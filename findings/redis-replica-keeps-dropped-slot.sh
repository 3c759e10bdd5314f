#!/bin/bash
# A Redis replica keeps the keys that its master dropped with a slot, and serves them after a failover.
#
# Tool: redis-server and redis-tools 5:7.0.15-1~deb12u10 (Debian 12), x86-64; two masters, one replica.
# Expected: when a master deletes keys, its replica deletes them; a replica whose link is up holds what
#   its master holds.
# Happens: a master that hears that a slot is another's deletes the keys it holds of it (here: the target
#   was given the slot before the keys were moved), but does not tell its replica, which keeps them, link
#   up, offsets equal. Give the slot back: the master answers nil; fail over: all old values are served.
# Seen (100 keys of one slot):
#   slot given to the target: source holds 0, its replica 100, link up, offsets equal
#   slot given back: source holds 0, its replica 100, GET on the source ''
#   after a failover: GET on the new master 'old'
# Why it matters: what counts as lost, or as deleted, after a botched or reverted slot move is back for
#   everybody at the next failover, however much later; and the copy that could have saved the keys is
#   there all the time.
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

for package in redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 liblzf1=3.6-3 \
    libjemalloc2=5.3.0-1 libatomic1=12.2.0-14+deb12u1; do
  debian $package
done
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu
read -r -a ports < <(python3 - <<'PY'
import random
import socket


def free(port):
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


# the servers talk to each other on the port 10,000 above
ports = (port for port in random.sample(range(20_000, 50_000), 1_000) if free(port) and free(port + 10_000))
print(next(ports), next(ports), next(ports))
PY
)
node() { timeout 10 redis-cli -h 127.0.0.1 -p "$1" "${@:2}" 2>/dev/null | tr -d '\r'; }
origin() { node "${ports[0]}" "$@"; }
target() { node "${ports[1]}" "$@"; }
replica() { node "${ports[2]}" "$@"; }
wait_for() {  # an awaited answer, a command
  for _ in $(seq 150); do [ "$("${@:2}")" = "$1" ] && return; sleep 0.2; done
  cannot "no answer $1 in time: ${*:2}"
}
field() { "$1" "${@:3}" | sed -n "s/^$2://p"; }
known() { "$1" cluster nodes | grep -vc handshake; }

for port in "${ports[@]}"; do
  mkdir "$port"
  timeout 150 redis-server --port "$port" --bind 127.0.0.1 --dir "$work/$port" --cluster-enabled yes \
    --cluster-node-timeout 5000 --save "" --appendonly no >"$port.log" 2>&1 &
  pids+=($!)
done
for name in origin target replica; do wait_for PONG $name ping; done
origin cluster meet 127.0.0.1 "${ports[1]}" >/dev/null
origin cluster meet 127.0.0.1 "${ports[2]}" >/dev/null
for name in origin target replica; do wait_for 3 known $name; done
slot=$(origin cluster keyslot '{shard}')
origin cluster addslotsrange 0 16382 >/dev/null
target cluster addslots 16383 >/dev/null
from=$(origin cluster myid)
to=$(target cluster myid)
wait_for OK replica cluster replicate "$from"
wait_for up field replica master_link_status info replication
for name in origin target replica; do wait_for ok field $name cluster_state cluster info; done
for number in $(seq 100); do echo "SET {shard}$number old"; done | origin >/dev/null
wait_for 100 replica cluster countkeysinslot "$slot"

give() {  # giver, its id, taker, its id: the slot, and no keys
  "$3" cluster setslot "$slot" importing "$2"
  "$1" cluster setslot "$slot" migrating "$4"
  "$3" cluster setslot "$slot" node "$4"
} >/dev/null
held() {
  echo "source holds $(origin cluster countkeysinslot "$slot"), its replica $(replica cluster countkeysinslot "$slot")"
}
offsets() {
  [ "$(field origin master_repl_offset info replication)" = "$(field replica slave_repl_offset info replication)" ] &&
    echo equal
}
give origin "$from" target "$to"
wait_for 0 origin cluster countkeysinslot "$slot"
sleep 3
wait_for equal offsets
taken="$(held), link $(field replica master_link_status info replication), offsets equal"
give target "$to" origin "$from"
origin cluster setslot "$slot" node "$from" >/dev/null
for name in origin target replica; do wait_for ok field $name cluster_state cluster info; done
sleep 3
back="$(held), GET on the source '$(origin get '{shard}1')'"
wait_for OK replica cluster failover
wait_for master field replica role info replication
wait_for ok field replica cluster_state cluster info
seen="slot given to the target: $taken
slot given back: $back
after a failover: GET on the new master '$(replica get '{shard}1')'"
expected="slot given to the target: source holds 0, its replica 100, link up, offsets equal
slot given back: source holds 0, its replica 100, GET on the source ''
after a failover: GET on the new master 'old'"
judge
