"""Profiles of engines behind a company's doors, over servers on this machine: what each key does to a request."""

import asyncio
import base64
import json
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import keyring
import pytest
import trustme
from keyring.backend import KeyringBackend

from retriage.console.cli.connection_options import ConnectionOptions
from retriage.console.connections import to_address, to_profile
from retriage.console.engine.connect import connect, limits_of
from retriage.console.engine.credentials import ClientCredentials, CredentialsProblem, CredentialsRefused
from retriage.console.engine.errors import EngineProblem, LoginRefused, Slow, Unreachable
from retriage.console.engine.target import Remote
from retriage.console.profile_keys import from_options
from retriage.console.profiles import ProfileProblem, list_profiles, profile_named
from retriage.console.runs.command_text import engine_words
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.store.contract.queries import ExternalTaskQuery


class Server(ThreadingHTTPServer):
    """Answers every question with a count, and remembers how it was asked.

    Attributes:
        heads: headers of each request, names in lower case.
        forms: bodies of requests for a token.
        lines: the first line of each request.
        tokens: those that are handed out, the last one for ever.
        good: values of ``Authorization`` that are let in; everybody is, where there are none.
    """

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.heads: list[dict[str, str]] = []
        self.lines: list[str] = []
        self.forms: list[dict[str, list[str]]] = []
        self.tokens: list[dict[str, Any] | int] = [{"access_token": "t1", "expires_in": 600}]
        self.good: list[str] = []
        self.slow = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is what some of the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _any(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        head = {name.lower(): value for name, value in self.headers.items()}
        server.heads.append(head)
        server.lines.append(self.requestline)
        told: Any = {"count": 7}
        status = 200
        if "token" in self.path:
            server.forms.append(parse_qs(body.decode()))
            told = server.tokens.pop(0) if len(server.tokens) > 1 else server.tokens[0]
            if isinstance(told, int):
                status, told = told, {"error": "invalid_client"}
        elif server.good and head.get("authorization") not in server.good:
            status, told = 401, {}
        elif "slow" in self.path:
            server.slow.wait(20)
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _any


@contextmanager
def running(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(context)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.slow.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as started:
        yield started


def written(folder: Path, text: str) -> Path:
    file = folder / "profiles.toml"
    file.write_text(text)
    return file


async def count(target: Remote, times: int = 1) -> int:
    """Ask so many times; the last answer."""
    found = 0
    async with connect(target) as client:
        for _ in range(times):
            found = await client.count_external_tasks(ExternalTaskQuery())
    return found


def telling(folder: Path, *words: str) -> str:
    """A command that tells these words, one each time it is run; the last one for ever."""
    script = folder / "tell.py"
    script.write_text(
        "import pathlib, sys\n"
        f"at = pathlib.Path({str(folder / 'told')!r})\n"
        "n = int(at.read_text()) if at.exists() else 0\n"
        "at.write_text(str(n + 1))\n"
        f"print({list(words)!r}[min(n, {len(words) - 1})])\n"
    )
    return json.dumps([sys.executable, str(script)])


async def test_headers_and_cookies_from_the_profile_the_environment_and_a_command(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BPM_KEY", "k3y")
    monkeypatch.setenv("BPM_LANG", "de")
    text = f"""
[x]
url = "http://{server.address}"
headers.X-Tenant = "blue"
headers.X-Api-Key.env = "BPM_KEY"
cookies.session.command = {telling(tmp_path, "s1", "s2")}
cookies.lang.env = "BPM_LANG"
"""
    target = profile_named("x", written(tmp_path, text)).target
    assert await count(target) == 7
    head = server.heads[-1]
    assert (head["x-tenant"], head["x-api-key"], head["cookie"]) == ("blue", "k3y", "session=s1; lang=de")
    assert "k3y" not in repr(target)
    assert head["user-agent"].startswith("retriage/")


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ('password_env = "GONE"', "password"),
        ('headers.X-Api-Key.env = "GONE"', "header X-Api-Key"),
        ('cookies.session.env = "GONE"', "cookie session"),
    ],
)
def test_a_list_of_profiles_says_what_the_environment_lacks(
    keys: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, f'[x]\nurl = "http://h"\n{keys}\n')
    monkeypatch.delenv("GONE", raising=False)
    assert [one.flaw for one in list_profiles(file)] == [
        f"The profile x: its {what} should be in GONE, which is not set."
    ]
    monkeypatch.setenv("GONE", "here")
    assert [one.flaw for one in list_profiles(file)] == [""]


async def test_a_cookie_of_a_command_is_renewed_when_it_is_refused(server: Server, tmp_path: Path) -> None:
    text = f'[x]\nurl = "http://{server.address}"\nheaders.Authorization.command = {telling(tmp_path, "old", "new")}\n'
    target = profile_named("x", written(tmp_path, text)).target
    server.good = ["new"]
    assert await count(target) == 7
    assert [head["authorization"] for head in server.heads] == ["old", "new"]


async def test_a_token_of_a_command_is_got_again_at_its_end_and_when_it_is_refused(
    server: Server, tmp_path: Path
) -> None:
    told = ['{"access_token": "a", "expires_in": 0}', '{"access_token": "b", "expires_in": 600}', "c"]
    text = f'[x]\nurl = "http://{server.address}"\ntoken_command = {telling(tmp_path, *told)}\n'
    target = profile_named("x", written(tmp_path, text)).target
    assert await count(target, 3) == 7
    assert [head["authorization"] for head in server.heads] == ["Bearer b"] * 3
    server.good, server.heads = ["Bearer c"], []
    assert await count(target) == 7
    assert [head["authorization"] for head in server.heads] == ["Bearer a", "Bearer c"][-len(server.heads) :]


@pytest.mark.parametrize("in_body", [False, True])
async def test_oauth_client_credentials(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_body: bool
) -> None:
    monkeypatch.setenv("SECRET", "s:cr&t")
    text = f"""
[x]
url = "http://{server.address}"
oauth_token_url = "http://{server.address}/token"
oauth_client_id = "con/sole"
oauth_client_secret_env = "SECRET"
oauth_scope = "engine read"
oauth_in_body = {str(in_body).lower()}
"""
    server.tokens = [{"access_token": "t1", "expires_in": 600}, {"access_token": "t2"}]
    target = profile_named("x", written(tmp_path, text)).target
    assert server.heads == [], "a profile is read without asking the service"
    async with connect(target) as client:
        for _ in range(2):
            assert await client.count_external_tasks(ExternalTaskQuery()) == 7
        server.good = ["Bearer t2"]
        assert await client.count_external_tasks(ExternalTaskQuery()) == 7
    asked = [
        (line.split()[1], head.get("authorization")) for line, head in zip(server.lines, server.heads, strict=True)
    ]
    service = None if in_body else "Basic " + base64.b64encode(b"con%2Fsole:s%3Acr%26t").decode()
    path = "/engine-rest/external-task/count"
    assert [(at.partition("?")[0], login) for at, login in asked] == [
        ("/token", service), (path, "Bearer t1"), (path, "Bearer t1"), (path, "Bearer t1"),
        ("/token", service), (path, "Bearer t2"),
    ]  # fmt: skip
    form = server.forms[0]
    assert (form["grant_type"], form["scope"]) == (["client_credentials"], ["engine read"])
    assert ("client_secret" in form) is in_body
    assert "s:cr&t" not in repr(target)


async def test_a_client_that_the_token_service_refuses_is_told_and_not_tried_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "wrong")
    keys = 'oauth_client_id = "c"\noauth_client_secret_env = "SECRET"'
    text = f'[x]\nurl = "http://{server.address}"\noauth_token_url = "http://{server.address}/token"\n{keys}\n'
    server.tokens = [401]
    async with connect(profile_named("x", written(tmp_path, text)).target) as client:
        for _ in range(3):
            with pytest.raises(LoginRefused, match=r"127\.0\.0\.1 gave no token \(401: invalid_client\)"):
                await client.count_external_tasks(ExternalTaskQuery())
    assert len(server.lines) == 1


@pytest.mark.parametrize(
    ("status", "body", "wrong"),
    [
        (403, b"<html><title>403 Forbidden</title></html>", False),
        (400, b"bad request", False),
        (503, b"", False),
        (400, b'{"error": "temporarily_unavailable"}', False),
        (400, b'{"error": "invalid_client"}', True),
        (403, b'{"error": "unauthorized_client"}', True),
        (401, b"", True),
    ],
)
async def test_a_token_service_that_is_down_is_not_a_wrong_password(status: int, body: bytes, wrong: bool) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        client = ClientCredentials(f"http://127.0.0.1:{port}/token", "c", "s")
        with pytest.raises(CredentialsProblem) as problem:
            await asyncio.to_thread(client.token)
    assert isinstance(problem.value, CredentialsRefused) is wrong
    assert str(status) in str(problem.value)


@pytest.mark.parametrize("locked", [False, True])
async def test_a_client_certificate_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: bool) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    mine = authority.issue_cert("ann@bpm.example")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for number, one in enumerate(mine.cert_chain_pems):
        one.write_to_path(tmp_path / "ann.pem", append=number > 0)
    key = mine.private_key_pem.bytes()
    if locked:
        from cryptography.hazmat.primitives import serialization

        plain = serialization.load_pem_private_key(key, None)
        key = plain.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"s3cret"),
        )
    (tmp_path / "ann.key").write_bytes(key)
    monkeypatch.setenv("KEY_PASSWORD", "s3cret")
    with running(context) as server:
        text = f'[x]\nurl = "https://{server.address}"\nca = "ca.pem"\n'
        with pytest.raises(Unreachable):
            await count(profile_named("x", written(tmp_path, text)).target)
        text += 'client_cert = "ann.pem"\nclient_key = "ann.key"\n'
        if locked:
            with pytest.raises(EngineProblem, match="is its password right"):
                await count(profile_named("x", written(tmp_path, text)).target)
            text += 'client_key_password_env = "KEY_PASSWORD"\n'
        assert await count(profile_named("x", written(tmp_path, text)).target) == 7
    with pytest.raises(EngineProblem, match=r"The client certificate .*ca\.pem.* cannot be used"):
        await count(Remote("https://h", client_cert=tmp_path / "ca.pem"))


async def test_a_proxy_stands_between(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXY_PASSWORD", "pr0xy")
    keys = 'proxy_user = "ann"\nproxy_password_env = "PROXY_PASSWORD"'
    text = f'[x]\nurl = "http://bpm.test:8080"\nproxy = "http://{server.address}"\n{keys}\n'
    assert await count(profile_named("x", written(tmp_path, text)).target) == 7
    assert server.lines[-1].startswith("POST http://bpm.test:8080/engine-rest/external-task/count")
    login = "Basic " + base64.b64encode(b"ann:pr0xy").decode()
    assert server.heads[-1]["proxy-authorization"] == login
    monkeypatch.setenv("HTTP_PROXY", f"http://{server.address}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    asked = len(server.lines)
    text = '[x]\nurl = "http://127.0.0.1:9"\nproxy = "direct"\n'
    with pytest.raises(Unreachable):
        await count(profile_named("x", written(tmp_path, text)).target)
    assert len(server.lines) == asked
    with pytest.raises(EngineProblem, match="not the address of a proxy"):
        await count(Remote("http://h", proxy="carrier pigeon"))


async def test_how_long_is_waited(server: Server, tmp_path: Path) -> None:
    keys = "connect_timeout = 1\nread_timeout = 0.2\nlaunch_timeout = 600"
    target = profile_named("x", written(tmp_path, f'[x]\nurl = "http://{server.address}/slow"\n{keys}\n')).target
    limits = limits_of(target)
    assert (limits.connect, limits.read, limits.question, limits.order) == (1, 0.2, 60, 600)
    with pytest.raises(Slow):
        await count(target)
    patient = limits_of(Remote("http://h", read_timeout=300))
    assert (patient.read, patient.question, patient.order) == (300, 300, 300)


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, **secrets: str) -> None:
        super().__init__()
        self.secrets = secrets

    def get_password(self, service: str, username: str) -> str | None:
        """What is kept under this name."""
        return self.secrets.get(f"{service}/{username}".replace("/", "_").replace(".", "_"))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Nothing is kept."""


def test_a_password_from_the_keyring(tmp_path: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(Ring(bpm_example_ann="s3cret"))
    try:
        text = '[x]\nurl = "https://h"\nuser = "ann"\npassword_keyring = "bpm.example/ann"\n'
        assert profile_named("x", written(tmp_path, text)).target.login() == ("ann", "s3cret")
        text = text.replace("/ann", "/bob")
        with pytest.raises(ProfileProblem, match=r"the keyring has no password of bob for bpm\.example"):
            profile_named("x", written(tmp_path, text))
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ('headers.Authorization = "Bearer x"', "holds the header Authorization: name its source"),
        ('headers.X-Api-Key = "x"', "holds the header X-Api-Key"),
        ('cookies.session = "x"', "holds the cookie session"),
        ('headers."a b" = "x"', "cannot be called 'a b'"),
        ('headers.X = "a\\nb"', "the header X must be a string"),
        ('headers.X = "blü"', "its header X holds characters that no header may hold"),
        ('headers.X.shell = "x"', "have one source"),
        ('headers.X = {env = "A", command = "b"}', "have one source"),
        ('headers = "x"', "must be a table"),
        ('proxy = "http://u:p@h:1"', "proxy holds a user or a password"),
        ("read_timeout = 0", "a number of seconds"),
        ("launch_timeout = true", "a number of seconds"),
        ('client_key = "x"', "client_key needs client_cert too"),
        ('oauth_token_url = "http://h"', "needs oauth_client_id too"),
        ('oauth_token_url = "http://h"\noauth_client_id = "c"', "needs oauth_client_secret_env"),
        ('oauth_client_secret = "s"', "holds its oauth_client_secret"),
        ('password_env = "HOME"\ntoken_env = "HOME"', "logs in by a password and by a token"),
        ('password_keyring = "nobody"', "must be SERVICE/USER"),
        ('headers.X.env = "NOT_SET"', "its header X should be in NOT_SET, which is not set"),
        ('token_command = ["printf", "{"]', "broken JSON"),
        ('headers.X.command = ["printf", "a\\tb"]', "header X holds characters that no header may hold"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, keys: str, sentence: str) -> None:
    with pytest.raises(ProfileProblem, match=sentence) as problem:
        profile_named("x", written(tmp_path, f'[x]\nurl = "http://h"\n{keys}\n'))
    assert "\n" not in str(problem.value)


def test_profiles_and_options_that_are_nested_too_deeply_are_one_sentence(tmp_path: Path) -> None:
    file, deep = tmp_path / "profiles.toml", "[" * 5000
    file.write_text(f"[bpm]\nurl = {deep}")
    with pytest.raises(ProfileProblem, match="cannot be read: it is nested too deeply"):
        profile_named("bpm", file)
    assert from_options([f"headers={deep}"]) == {"headers": deep}


def test_profiles_that_others_may_write_are_refused(tmp_path: Path) -> None:
    """They name commands that are run, and where passwords are sent."""
    file = tmp_path / "profiles.toml"
    file.write_text('[bpm]\nurl = "https://e"\n')
    for mode in (0o664, 0o646):
        file.chmod(mode)
        with pytest.raises(ProfileProblem, match=r"Others may write the profiles in .*; `chmod go-w .*` fixes that"):
            profile_named("bpm", file)
        with pytest.raises(ProfileProblem, match="Others may write"):
            list_profiles(file)
    file.chmod(0o644)
    assert profile_named("bpm", file).name == "bpm"


async def test_a_client_key_that_others_may_write_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "ann.key"
    issued = trustme.CA().issue_cert("ann@example.org")
    (tmp_path / "ann.pem").write_bytes(issued.cert_chain_pems[0].bytes())
    key.write_bytes(issued.private_key_pem.bytes())
    target = Remote("https://127.0.0.1:1", client_cert=tmp_path / "ann.pem", client_key=key)
    key.chmod(0o662)
    with pytest.raises(EngineProblem, match=r"Others may write the client's key .*ann\.key"):
        async with connect(target):
            pass
    key.chmod(0o640)
    async with connect(target):
        pass


def test_a_token_that_no_header_may_hold_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pasted with a quote of a text processor, for example."""
    monkeypatch.setenv("RETRIAGE_TOKEN", "“abc”")
    with pytest.raises(ValueError, match="RETRIAGE_TOKEN holds characters that no header may hold"):
        to_address("https://h", None, None, False, None, False)
    with pytest.raises(ProfileProblem, match="its token holds characters that no header may hold"):
        profile_named("x", written(tmp_path, '[x]\nurl = "http://h"\ntoken_env = "RETRIAGE_TOKEN"\n'))


def test_options_say_what_a_profile_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SID", "s1")
    monkeypatch.setenv("RETRIAGE_PASSWORD", "s3cret")
    typed = ["read_timeout=60", "headers.X-Tenant=blue", "cookies.sid.env=SID", "proxy=http://p:3128", "verify=false"]
    options = from_options(typed)
    assert options["headers"] == {"X-Tenant": "blue"}
    connection = to_address("https://h", "ann", None, False, None, False, options)
    target = connection.target
    assert isinstance(target, Remote)
    assert (target.read_timeout, target.proxy, target.insecure) == (60, "http://p:3128", True)
    assert target.headers == {"X-Tenant": "blue", "Cookie": "sid=s1"}
    assert target.login() == ("ann", "s3cret")
    file = written(tmp_path, '[x]\nurl = "https://h"\nread_timeout = 20\n')
    changed = to_profile("x", file, options).target
    assert isinstance(changed, Remote)
    assert changed.read_timeout == 60
    with pytest.raises(ProfileProblem, match=r"read_timeuot is not known; read_timeout is\.$"):
        to_address("https://h", None, None, False, None, False, from_options(["read_timeuot=3"]))
    with pytest.raises(ProfileProblem, match="write it like KEY=VALUE"):
        from_options(["read_timeout"])


def test_a_command_that_does_the_same_reaches_the_engine_in_the_same_way(tmp_path: Path) -> None:
    typed = ConnectionOptions(engine="https://h", insecure=True, option=["read_timeout=60", "headers.X-Tenant=a b"])
    words = ("--insecure", "-o", "read_timeout=60", "-o", "headers.X-Tenant=a b")
    assert typed.connection().identity().words == words
    identity = ConnectionIdentity("PROD", "https://h/engine-rest", words=words)
    assert engine_words(identity, "")[2:-2] == list(words)
    assert engine_words(replace(identity, profile="p"), "") == ["--profile", "p", *words]


@pytest.mark.parametrize(
    ("url", "login", "warned"),
    [
        ("http://bpm.example", {"user": "ann"}, "The password goes to bpm.example over plain http"),
        ("http://bpm.example", {"token": "t"}, "The token goes to bpm.example over plain http"),
        ("http://ann:s3cret@bpm.example", {}, "The password goes to"),
        ("http://bpm.example", {}, ""),
        ("http://localhost:8080", {"user": "ann"}, ""),
        ("http://[::1]:8080", {"user": "ann"}, ""),
        ("https://bpm.example", {"user": "ann"}, ""),
    ],
)
def test_a_secret_that_anybody_can_read_is_warned_about(url: str, login: dict[str, str], warned: str) -> None:
    said = Remote(url, **login).warning  # type: ignore[arg-type]
    assert said.startswith(warned)
    assert bool(said) is bool(warned)
    assert "s3cret" not in said
