"""PostgreSQL: Debian's server in a folder of its own, or any server by URL; and fresh databases on it.

The server is reached by a socket in its folder and by nothing else, so it needs no free port and nobody else meets it.
It starts in about two seconds. PostgreSQL refuses to run as root: root runs it as another user.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import URL, make_url

from tests.engines.processes import NotUp

BY_URL = "RETRIAGE_TEST_POSTGRESQL"
"""Environment variable with the URL of a database that may be used, e.g. postgresql://me:secret@127.0.0.1/postgres.
Its user must be allowed to create databases."""

_FOR_TESTS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}
_USERS = ("postgres", "nobody")
_START_SECONDS = 60.0


def what_is_missing() -> str | None:
    """Why this machine cannot run PostgreSQL; None if it can."""
    if os.environ.get(BY_URL):
        return None
    if _program("initdb") is None or _program("postgres") is None:
        return f"needs initdb and postgres on the PATH or under /usr/lib/postgresql, or a server's URL in {BY_URL}"
    if os.geteuid() == 0 and _other_user() is None:
        return f"refuses to run as root and there is no user {' or '.join(_USERS)}; a server's URL in {BY_URL} helps"
    return None


@contextmanager
def running() -> Iterator[str]:
    """A fresh server, removed at the end; gives the URL of a database on it. One named by the environment is used
    as it is.

    Raises:
        NotUp: it did not start. The text ends with the last lines of its log.
    """
    if given := os.environ.get(BY_URL):
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="retriage-pg-"))
    try:
        account = _account(folder)
        _make_cluster(folder, account)
        with _serving(folder, account) as url:
            yield url
    finally:
        shutil.rmtree(folder)


@asynccontextmanager
async def fresh_database(server: str, *, linguistic: bool = True) -> AsyncIterator[str]:
    """A database of its own on a server, empty; gives its URL. It is dropped at the end, whoever is connected.

    Args:
        server: the URL of any database on it.
        linguistic: sort texts by language where the server can; otherwise the database knows bytes only.
    """
    url = make_url(server)
    name = f"retriage_{uuid4().hex}"
    async with await psycopg.AsyncConnection.connect(_conninfo(url), autocommit=True) as connection:
        locale = await _linguistic(connection) if linguistic else " TEMPLATE template0 LOCALE 'C'"
        await connection.execute(f'CREATE DATABASE "{name}"{locale}')
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


async def _linguistic(connection: psycopg.AsyncConnection[Any]) -> str:
    """Options for a database that sorts texts by language where the server can (15 or newer, built with ICU), as most
    in the world do: nothing in the store may count on it sorting by bytes."""
    if connection.info.server_version < 150000:
        return ""
    known = await connection.execute("SELECT FROM pg_collation WHERE collname = 'en-US-x-icu'")
    return " TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'" if await known.fetchone() is not None else ""


def _conninfo(url: URL) -> str:
    """The URL as libpq reads it, without the name of a driver."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False)


def _program(name: str) -> str | None:
    """The newest that Debian has installed, or what the PATH finds."""
    packaged = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda file: file.parts[-3].zfill(4))
    return str(packaged[-1]) if packaged else shutil.which(name)


def _other_user() -> pwd.struct_passwd | None:
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next((known[name] for name in _USERS if name in known), None)


def _account(folder: Path) -> dict[str, Any]:
    """What makes a child process run as the owner of the cluster, who also gets the folder."""
    user = _other_user() if os.geteuid() == 0 else None
    if user is None:
        return {}
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _make_cluster(folder: Path, account: dict[str, Any]) -> None:
    command = [str(_program("initdb")), "--pgdata", str(folder / "data"), "--username", "postgres", "--no-sync"]
    command += ["--auth", "trust", "--encoding", "UTF8", "--no-locale"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **account)
    if made.returncode != 0:
        raise NotUp(f"{command!r} ended with {made.returncode}\n{made.stdout[-2000:]}{made.stderr[-2000:]}")


@contextmanager
def _serving(folder: Path, account: dict[str, Any]) -> Iterator[str]:
    settings = {**_FOR_TESTS, "unix_socket_directories": str(folder)}
    command = [str(_program("postgres")), "-D", str(folder / "data")]
    command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    url = URL.create("postgresql", "postgres", database="postgres", query={"host": str(folder)})
    log = folder / "server.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, **account) as process,
    ):
        try:
            _wait(process, _conninfo(url), log)
            yield url.render_as_string(hide_password=False)
        finally:
            process.send_signal(signal.SIGINT)  # "fast": whoever is still connected is cut off
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(process: "subprocess.Popen[bytes]", conninfo: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(conninfo).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-40:])
    raise NotUp(f"PostgreSQL did not start\n{tail}")
