"""Opens the engine that a target names, and closes it again."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import httpx

from retriage.console.engine.channel import Limits
from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import EngineProblem, one_line
from retriage.console.engine.packed_body import ACCEPTED
from retriage.console.engine.target import EMBEDDED_URL, Demo, Embedded, Remote, Target
from retriage.store.private_files import others_may_write
from retriage.store.store_name import name_of
from retriage.store.throwaway import throwaway_folder

DIRECT = "direct"
"""In place of a proxy's address: no proxy, whatever the environment says."""

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["Demo", "Embedded", "Remote", "Target", "connect"]


@asynccontextmanager
async def connect(target: Target, *, limits: Limits | None = None) -> AsyncIterator[EngineClient]:
    """A client of the target's engine. The embedded engine runs as long as the context is open.

    A remote engine is not asked anything here; that it cannot be reached shows at the first question.

    Raises:
        EngineProblem: the address is none, the certificate file cannot be read, or the store cannot be opened.
    """
    if isinstance(target, Remote):
        async with _remote(target) as http:
            user = target.login()[0] if target.token is None else None
            client = EngineClient(http, limits=limits or limits_of(target), user=user or "")
            client.log_in(target.credentials, target.renew)
            yield client
        return
    async with AsyncExitStack() as stack:
        app = await _open(target, stack)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=EMBEDDED_URL))
        yield EngineClient(http, embedded=True, limits=limits)


async def _open(target: Embedded, stack: AsyncExitStack) -> "FastAPI":
    """The embedded engine's application, its lifespan entered.

    Importing it costs about a second, so that is done in a thread and the screen goes on.
    """
    store = target.store
    if store is None:
        store = str(stack.enter_context(throwaway_folder()) / "demo.db")
    try:
        app, lifespan = await asyncio.to_thread(_embedded_app, store, target)
        await stack.enter_async_context(lifespan)
    except Exception as problem:
        said = one_line(str(problem), 200)
        beginning = f"The store {one_line(name_of(store), 120)} cannot be opened: "
        # The store's own refusals are whole sentences about it already.
        raise EngineProblem(said if "cannot be opened:" in said else beginning + said) from problem
    return app


def _embedded_app(store: str, target: Embedded) -> "tuple[FastAPI, AbstractAsyncContextManager[object]]":
    from retriage.store.embedded import JobPace, Rehearsal, embedded_app  # 995 ms

    demo = target.demo
    if demo is None:
        app = embedded_app(store, rehearsal=Rehearsal(target.failure_rate) if target.rehearse else None)
    else:
        pace = JobPace(demo.jobs_per_second)
        app = embedded_app(
            store,
            demo_tasks=demo.tasks,
            demo_seed=demo.seed,
            outage=demo.outage,
            workers=demo.workers,
            pace=pace,
            progress=demo.handle.wrote,
            indexed=demo.handle.indexed,
            open_early=demo.open_early,
        )
        demo.handle.pace = None if pace.is_full_speed else pace
    enter: Callable[[FastAPI], AbstractAsyncContextManager[object]] = app.router.lifespan_context
    return app, enter(app)


def limits_of(target: Remote) -> Limits:
    """How long to wait for this engine."""
    usual = Limits()
    read = target.read_timeout or usual.read
    order = target.launch_timeout or max(usual.order, read)
    return Limits(target.connect_timeout or usual.connect, read, max(usual.question, read), order)


def _remote(target: Remote) -> httpx.AsyncClient:
    try:
        root = target.root()
        user, password = target.login()
        verify: bool | ssl.SSLContext = trust(target) if root.startswith("https:") else True
        proxy = proxy_of(target)
    except (ValueError, OSError) as problem:
        raise EngineProblem(str(problem)) from problem
    headers = {**target.headers, "Accept": "application/json, text/plain;q=0.9, */*;q=0.1", "User-Agent": user_agent()}
    # A cache on the way must not answer for the engine: what it kept would be shown as live.
    headers["Cache-Control"] = "no-cache"
    headers["Accept-Encoding"] = ACCEPTED
    if target.token is not None:
        headers["Authorization"] = f"Bearer {target.token}"
        user = None
    auth = httpx.BasicAuth(user, password) if user is not None else None
    return httpx.AsyncClient(
        base_url=root,
        headers=headers,
        auth=auth,
        verify=verify,
        proxy=proxy,
        trust_env=target.proxy != DIRECT,
        follow_redirects=False,
    )


def proxy_of(target: Remote) -> httpx.Proxy | None:
    """The proxy that the target names; nothing where the environment decides, or none is wanted.

    Raises:
        ValueError: this is no address of a proxy; the text is one sentence.
    """
    if not target.proxy or target.proxy == DIRECT:
        return None
    try:
        return httpx.Proxy(target.proxy, auth=target.proxy_login)
    except (ValueError, httpx.InvalidURL):
        raise ValueError(f"This is not the address of a proxy: {one_line(target.proxy, 120)}.") from None


def user_agent() -> str:
    """How the console names itself to an engine and the proxies before it."""
    try:
        return f"retriage/{version('retriage')}"
    except PackageNotFoundError:
        return "retriage"


def trust(target: Remote) -> ssl.SSLContext:
    """The machine's certificate authorities, those that httpx brings, and the operator's own; and the certificate that
    this machine shows.

    Raises:
        ValueError: a file cannot be read as PEM, or its key does not open; the text is one sentence.
    """
    context = httpx.create_ssl_context()
    context.load_default_certs()
    if target.ca is not None:
        try:
            context.load_verify_locations(cafile=target.ca)
        except OSError:  # an ssl.SSLError is one too
            raise ValueError(f"The certificate file {one_line(str(target.ca), 120)} cannot be read as PEM.") from None
    if target.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if target.client_cert is not None:
        secret_file = target.client_key or target.client_cert
        if others_may_write(secret_file):
            shown = one_line(str(secret_file), 120)
            raise ValueError(f"Others may write the client's key {shown}; `chmod go-w {shown}` fixes that.")
        try:
            # Without a password OpenSSL would ask for one on the terminal.
            secret = target.client_key_password or ""
            context.load_cert_chain(target.client_cert, target.client_key, lambda: secret)
        except OSError:
            key = f" with the key {one_line(str(target.client_key), 120)}" if target.client_key else ""
            shown = f"The client certificate {one_line(str(target.client_cert), 120)}{key}"
            raise ValueError(f"{shown} cannot be used: is it PEM, is the key its own, is its password right?") from None
    return context
