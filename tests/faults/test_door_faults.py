"""An engine behind TLS and a name: certificates that change, a port that stops speaking https, a name that is gone."""

import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.client import EngineClient
from retriage.console.engine.connect import connect
from retriage.console.engine.errors import Unreachable
from retriage.console.engine.target import Remote
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.demo_store import fill
from tests.acceptance.night_engine import PASSWORD, USER, NightEngine
from tests.faults.test_reading_faults import live, orders_are_off, stale
from tests.support.fault_proxy import FaultProxy, secure
from tests.support.terminal import Terminal

NAME = "engine.company.example"
RESOLVER = f"""
import os, socket
resolve = socket.getaddrinfo
def answered(host, *rest, **more):
    if host in ({NAME!r}, {NAME.encode()!r}):
        if os.path.exists(os.environ["NAME_IS_GONE"]):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        host = "127.0.0.1"
    return resolve(host, *rest, **more)
socket.getaddrinfo = answered
"""
"""What a program that is started reads before anything else: it knows one name more, until a file is there."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NightEngine]:
    store = tmp_path_factory.mktemp("world") / "store.db"
    fill(str(store), 300, 7, lambda done: None)
    with NightEngine(store, names=[NAME]) as started:
        yield started


def console(root: str, home: Path, *options: str, **environment: str) -> Terminal:
    command = [sys.executable, "-m", "retriage.console", "--engine", root, "--user", USER, "--env", "local", *options]
    variables = {"RETRIAGE_HOME": str(home), "RETRIAGE_PASSWORD": PASSWORD, "TMPDIR": str(home), **environment}
    return Terminal(command, 120, 30, variables)


def mended(terminal: Terminal) -> None:
    terminal.press("r")
    live(terminal)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_certificate_that_is_not_trusted_any_more(engine: NightEngine, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    right = secure(authority)
    with (
        FaultProxy(engine.address, right) as proxy,
        console(proxy.secure_root, tmp_path, "--ca", str(tmp_path / "ca.pem")) as terminal,
    ):
        live(terminal)
        for context, said in ((secure(trustme.CA()), "not trusted"), (None, "no secure connection could be made")):
            proxy.change_door(context)
            stale(terminal, "no connection")
            terminal.wait_for(said, 150)  # the first failure may be a broken connection, and the next try a minute away
            orders_are_off(terminal)
            proxy.change_door(right)
            mended(terminal)
        terminal.press("q")
        assert terminal.wait_for_end() == 0


@pytest.mark.long
def test_a_name_that_is_not_known_any_more(engine: NightEngine, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(RESOLVER)
    gone = tmp_path / "gone"
    with FaultProxy(engine.address) as proxy:
        root = proxy.root.replace("127.0.0.1", NAME)
        with console(root, tmp_path, PYTHONPATH=str(tmp_path), NAME_IS_GONE=str(gone)) as terminal:
            live(terminal)
            gone.touch()
            proxy.change_door(None)
            stale(terminal, "no connection")
            terminal.wait_for("its name is not known")
            orders_are_off(terminal)
            gone.unlink()
            mended(terminal)
            terminal.press("q")
            assert terminal.wait_for_end() == 0


Order = Callable[[EngineClient], Awaitable[Any]]
ORDERS: dict[str, Order] = {
    "launch": lambda client: client.launch_batch(
        BatchRequest(SetExternalTaskRetries(retries=3, external_task_ids=["a"]))
    ),
    "unlock": lambda client: client.unlock("t"),
    "delete": lambda client: client.delete_batch("b"),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fault", ["certificate", "no https", "name"])
async def test_an_order_that_found_no_way_was_not_sent(
    order: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    contexts: dict[str, ssl.SSLContext | None] = {
        "certificate": secure(trustme.CA()),
        "no https": None,
        "name": secure(authority),
    }
    with FaultProxy(None, contexts[fault]) as proxy:
        if fault == "name":

            def unknown(*wanted: object, **more: object) -> None:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

            monkeypatch.setattr(socket, "getaddrinfo", unknown)
        async with connect(Remote(proxy.secure_root, ca=tmp_path / "ca.pem")) as client:
            with pytest.raises(Unreachable) as caught:
                await ORDERS[order](client)
        words = {"certificate": "not trusted", "no https": "does it speak https?", "name": "its name is not known"}
        assert words[fault] in caught.value.sentence
        assert not proxy.faults.asked
