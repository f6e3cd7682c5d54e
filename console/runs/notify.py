"""Tells people who are not looking that a run is held or over: by commands of the operator's own, and by a webhook.

A command is no shell, and nothing of the engine stands in it: environment variables hold what happened, as inert
text. Passwords that the console was given are not handed on. Values of variables are in neither.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from retriage.console.runs.event_text import text_of
from retriage.console.runs.events import RunEnded, RunHeld
from retriage.console.runs.hold import UNANSWERED
from retriage.console.secret_sources import READ_VARIABLES, SecretProblem, read_secret
from retriage.console.settings import Notify, Occasion, Webhook
from retriage.console.text.inert import inert

if TYPE_CHECKING:
    from retriage.console.session.session import Session

PATIENCE = 60.0
"""Seconds that the command has."""
LONGEST = 2000
"""Characters of a variable, or of the text of a webhook, at most."""
SECRETS = frozenset({"RETRIAGE_PASSWORD", "RETRIAGE_TOKEN", "RETRIAGE_USERS", "PGPASSWORD"})
TRIES = (0.0, 2.0, 8.0)
"""Seconds to wait before each try of a webhook."""
LONGEST_WAIT = 30.0
"""Seconds that an answer may ask to wait before the next try."""
ANSWER_WITHIN = 10.0
"""Seconds that the receiver of a webhook has for an answer."""
BUSY = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which a webhook is tried again."""


def occasion_of(event: RunHeld | RunEnded) -> Occasion:
    """What kind of news it is. A run that was stopped has ended as somebody wished; one that finished without passing
    has failed: waves beyond their limit were released, or nothing was sent."""
    if isinstance(event, RunEnded):
        return "failed" if event.state == "finished" else "ended"
    return "unanswered" if event.cause == UNANSWERED else "held"


async def notify(
    session: Session,
    event: RunHeld | RunEnded,
    wanted: Notify,
    environ: Mapping[str, str] = os.environ,
    tries: Sequence[float] = TRIES,
) -> list[str]:
    """Carry out the command for this occasion and call the webhook, side by side; answers a sentence for each that
    failed. A rehearsal calls nobody.

    Args:
        session: whose engine.
        event: what happened.
        wanted: what the operator's settings name.
        environ: the variables that a command has besides, and where a secret may be.
        tries: seconds to wait before each try of the webhook.
    """
    if session.connection.identity.snapshot_of:
        return []
    facts = facts_of(session, event)
    calls, said = [], []
    if wanted.webhook is not None:
        # Read before the command begins: it gets no variable that holds an address.
        try:
            address = await asyncio.to_thread(_address, wanted.webhook, environ)
            calls.append(post(address, body_of(wanted.webhook.shape, facts, text_of(event)), tries))
        except SecretProblem as problem:
            said.append(str(problem))
    if command := wanted.command(occasion_of(event)):
        variables = {f"RETRIAGE_{name}": str(value) for name, value in facts.items()}
        calls.append(call_operator(command, variables, environ))
    return [problem for problem in (*said, *await asyncio.gather(*calls)) if problem]


def facts_of(session: Session, event: RunHeld | RunEnded) -> dict[str, str | int]:
    """What happened, as inert text and numbers.

    Args:
        session: whose engine.
        event: the run that is held or over.
    """
    counts = event.counts
    wave = event.wave if isinstance(event, RunHeld) and event.wave is not None else ""
    told: dict[str, str | int] = {
        "EVENT": occasion_of(event), "RUN": event.run, "WAVE": wave, "CAUSE": event.cause, "SAID": event.said,
        "ENGINE": session.memory.engine_name, "ENVIRONMENT": session.connection.identity.environment,
        "DONE": counts.done, "AGAIN": counts.again, "NEW_CAUSE": counts.new_cause, "OPEN": counts.open,
    }  # fmt: skip
    return {name: inert(one)[:LONGEST] if isinstance(one, str) else one for name, one in told.items()}


async def call_operator(
    command: Sequence[str],
    facts: Mapping[str, str],
    environ: Mapping[str, str] = os.environ,
    patience: float = PATIENCE,
) -> str:
    """Carry the command out; answers one sentence if that failed, else nothing.

    Args:
        command: program and arguments.
        facts: variables that it is given.
        environ: the variables that it has besides.
        patience: seconds after which it is ended.
    """
    inherited = {name: value for name, value in environ.items() if name not in SECRETS | READ_VARIABLES}
    silent = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=silent, stdout=silent, stderr=silent, env={**inherited, **facts}
        )
    except (OSError, ValueError) as problem:
        return f"The command that calls you cannot be run: {getattr(problem, 'strerror', None) or problem}."
    try:
        status = await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"The command that calls you was ended after {patience:g} s."
    except asyncio.CancelledError:
        process.kill()
        raise
    return f"The command that calls you failed with status {status}." if status else ""


# -- the webhook ----------------------------------------------------------------------------------------------------


def _address(webhook: Webhook, environ: Mapping[str, str]) -> str:
    """Whoever knows the address of a webhook may write there, so it may come from where secrets come from.

    Raises:
        SecretProblem: it cannot be had there, or is no address.
    """
    if webhook.kind == "url":
        return str(webhook.value)
    address = read_secret("[notify]", "webhook", webhook.kind, webhook.value, environ, asks=False).strip()
    if not address.startswith(("http://", "https://")):
        raise SecretProblem("[notify]: its webhook should be an address that begins with https://.")
    return address


def body_of(shape: str, facts: Mapping[str, str | int], text: str) -> dict[str, Any]:
    """What is sent, so that text of workers formats nothing, leads nowhere and calls nobody.

    Args:
        shape: of whom it is for: ``json``, ``slack``, ``mattermost`` or ``teams``.
        facts: what happened.
        text: the same in words.
    """
    text = inert(text)[:LONGEST]
    where = " ".join(part for part in (str(facts["ENVIRONMENT"]), str(facts["ENGINE"])) if part)
    if shape == "teams":
        # A run of text is shown as it is; a text block would be read as Markdown.
        lines = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]} for line in (where, text)]
        card = {"type": "AdaptiveCard", "version": "1.4", "body": lines}
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return {"type": "message", "attachments": [attachment]}
    if shape in {"slack", "mattermost"}:
        block = f"{where}\n{text}".replace("`", "'")
        if shape == "slack":
            block = block.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": f"```\n{block}\n```"}
    return {**{name.lower(): value for name, value in facts.items()}, "text": text}


async def post(address: str, body: Mapping[str, Any], tries: Sequence[float] = TRIES) -> str:
    """Send it once; again, a few times, while the receiver is away or busy. Answers one sentence without the address if
    it was not taken, else nothing. One whose answer was lost may arrive twice.

    Args:
        address: of the webhook.
        body: JSON.
        tries: seconds to wait before each try.
    """
    said, asked = "", 0.0
    try:
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN, follow_redirects=False) as http:
            for wait in tries:
                await asyncio.sleep(max(wait, min(asked, LONGEST_WAIT)) if said else wait)
                try:
                    answer = await http.post(address, json=body)
                except httpx.TransportError as problem:
                    said = f"cannot be reached: {type(problem).__name__}"
                    continue
                if answer.is_success:
                    return ""
                said = f"answered {answer.status_code}"
                if answer.status_code not in BUSY:
                    break
                with suppress(ValueError):
                    asked = float(answer.headers.get("Retry-After", ""))
    except (httpx.InvalidURL, ValueError):
        said = "is no address"
    return f"The webhook of [notify] {said}: nobody got the message."
