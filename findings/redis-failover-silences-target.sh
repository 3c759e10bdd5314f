#!/bin/bash
# A planned failover of one Redis master stops another: the one that imports a slot from it refuses all its keys.
#
# Tool: redis-server and redis-tools 5:7.0.15-1~deb12u10 (Debian 12), x86-64; two masters, one replica.
# Expected: while a slot migrates, the source hands over to its replica by CLUSTER FAILOVER, everybody alive and
#   well: all nodes learn the new owner, and the keys of other slots are served as before.
# Happens: the target updates no slot that it imports. The old source becomes a replica and loses its slots, the
#   promoted node is not given this one: to the target the slot is nobody's, and as a cluster has to be whole (the
#   default), it answers CLUSTERDOWN for every key, those of its own slots too. The other nodes say that the
#   cluster is fine. It lasts until somebody ends the import.
# Seen:
#   before: target ok, its own key 'served'
#   10 s after the failover: promoted node ok, old source ok, target fail, its own key 'CLUSTERDOWN The cluster is down'
#   after SETSLOT STABLE on the target: target ok, its own key 'served'
# Why it matters: one master restarted for maintenance in the middle of a reshard takes another out of service,
#   with slots that are not on the move, and what watches the rest of the cluster sees nothing.
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
own=$(origin cluster keyslot '{mine}')
origin cluster addslotsrange 0 $((own - 1)) $((own + 1)) 16383 >/dev/null
target cluster addslots "$own" >/dev/null
from=$(origin cluster myid)
to=$(target cluster myid)
wait_for OK replica cluster replicate "$from"
wait_for up field replica master_link_status info replication
for name in origin target replica; do wait_for ok field $name cluster_state cluster info; done
wait_for OK target set '{mine}' served

says() { echo "target $(field target cluster_state cluster info), its own key '$(target get '{mine}')'"; }
before=$(says)
target cluster setslot "$slot" importing "$from" >/dev/null
origin cluster setslot "$slot" migrating "$to" >/dev/null
wait_for OK replica cluster failover
wait_for slave field origin role info replication
wait_for ok field replica cluster_state cluster info
sleep 10
after="promoted node $(field replica cluster_state cluster info), old source $(field origin cluster_state cluster info), $(says)"
target cluster setslot "$slot" stable >/dev/null
wait_for ok field target cluster_state cluster info
seen="before: $before
10 s after the failover: $after
after SETSLOT STABLE on the target: $(says)"
expected="before: target ok, its own key 'served'
10 s after the failover: promoted node ok, old source ok, target fail, its own key 'CLUSTERDOWN The cluster is down'
after SETSLOT STABLE on the target: target ok, its own key 'served'"
judge
