"""The options that say which engine, the same for every command that asks one."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retriage.console.cli.program import Store, fail
from retriage.console.connections import to_address, to_profile, to_rehearsal, to_store
from retriage.console.folders import default_store, profiles_file
from retriage.console.profile_keys import from_options
from retriage.console.runs.rules_text import RuleMistake, share_of

if TYPE_CHECKING:
    from retriage.console.connections import NamedEngine

Profile = Annotated[
    str | None, typer.Option(help="Name of a connection profile, see `retriage profiles`.", show_default=False)
]
Engine = Annotated[
    str | None,
    typer.Option(help="REST address of an engine, https://host/engine-rest. Default: your own embedded store."),
]
User = Annotated[str | None, typer.Option(help="User for HTTP Basic; the password is read from RETRIAGE_PASSWORD.")]
Authority = Annotated[Path | None, typer.Option(help="PEM file of the authority that signed its certificate.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Do not check its certificate.")]
Environment = Annotated[
    str | None,
    typer.Option(help="Label of the environment. Any but DEMO, DEV, TEST and LOCAL is treated as production."),
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        "-o",
        metavar="KEY=VALUE",
        help="A key of a connection profile, `-o read_timeout=60`, `-o headers.X-Tenant=blue`; may be repeated.",
        show_default=False,
    ),
]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Change nothing, whatever is pressed.")]


Rehearse = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Rehearse on a copy of a snapshot, with simulated workers that fail as often as was observed.",
    ),
]
FailureRate = Annotated[
    str | None, typer.Option(metavar="SHARE", help="With --rehearse, the share of attempts that fail: 20%.")
]


def missing_file(store: str) -> Path | None:
    """The file that a store is said to be in and that is not there; nothing for a file that is, or a database server.

    Args:
        store: a path, or an SQLAlchemy URL.
    """
    scheme, mark, rest = store.partition("://")
    if not mark:
        path = Path(store)
    elif scheme.partition("+")[0] == "sqlite":
        path = Path(rest.removeprefix("/").partition("?")[0])
    else:
        return None
    path = path.expanduser()
    return None if path.exists() or str(path) in (".", ":memory:") else path.absolute()


@dataclass(frozen=True)
class ConnectionOptions:
    """What was typed about the engine."""

    profile: Profile = None
    engine: Engine = None
    user: User = None
    ca: Authority = None
    insecure: Insecure = False
    env: Environment = None
    readonly: ReadOnly = False
    option: Options = None
    store: Store = None

    @property
    def named(self) -> bool:
        """An engine was named."""
        return bool(self.profile or self.engine or self.store)

    def connection(self, rehearse: Path | None = None, failure_rate: str | None = None) -> NamedEngine:
        """The engine that was named, or the operator's own store.

        Args:
            rehearse: a snapshot, a copy of which is the engine instead.
            failure_rate: the share of attempts that fail there, as it was typed; none takes what was observed.

        Raises:
            typer.Exit: the options do not fit together, or name nothing; a sentence was said.
        """
        if rehearse is not None and self.named:
            raise fail("--rehearse names the engine: leave --profile, --engine and --store out.")
        if failure_rate is not None and rehearse is None:
            raise fail("--failure-rate is for a rehearsal: give --rehearse FILE too.")
        engines = (("--profile", self.profile), ("--engine", self.engine), ("--store", self.store))
        named = [word for word, given in engines if given]
        if len(named) > 1:
            raise fail(f"{' and '.join(named)} name different engines; give one of them.")
        words = (("--user", self.user), ("--ca", self.ca), ("--insecure", self.insecure), ("--env", self.env))
        own = [word for word, given in words if given]
        if self.profile and own:
            raise fail(f"the profile says all about its engine; leave {' and '.join(own)} out, or change the profile.")
        if self.store and (missing := missing_file(self.store)) is not None:
            raise fail(
                f"there is no store at {missing}. A new one is made by `retriage demo-data --store FILE --tasks 5000` "
                "or `retriage serve --store FILE`; without --store your own is opened."
            )
        if self.option and not (self.profile or self.engine):
            raise fail("--option is for an engine on the network; name that with --engine or --profile.")
        try:
            options = from_options(self.option or ())
            if rehearse is not None:
                connection = to_rehearsal(rehearse, share_of(failure_rate) if failure_rate is not None else None)
            elif self.profile:
                connection = to_profile(self.profile, profiles_file(), options)
            elif self.engine:
                connection = to_address(
                    self.engine, self.user, self.ca, self.insecure, self.env, self.readonly, options
                )
            else:
                connection = to_store(self.store or str(default_store()), self.env, self.readonly)
        except RuleMistake as mistake:
            raise fail(f"--failure-rate: {mistake.sentence}") from None
        except ValueError as problem:
            raise fail(str(problem)) from None
        reached = (*self._words, *(("--failure-rate", failure_rate) if failure_rate is not None else ()))
        return replace(connection, readonly=connection.readonly or self.readonly, words=reached)

    @property
    def _words(self) -> tuple[str, ...]:
        """How the engine is reached, beside its name and the user, as it was typed."""
        words = ["--ca", str(self.ca.absolute())] if self.ca is not None else []
        words += ["--insecure"] if self.insecure else []
        return (*words, *(word for option in self.option or () for word in ("-o", option)))


def with_connection(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose first parameter is a ConnectionOptions, as one that has these options itself.

    What is given before the name of the command counts where it is not given behind it.
    """
    names = [field.name for field in fields(ConnectionOptions)]
    told = typing.get_type_hints(ConnectionOptions, include_extras=True)
    defaults = {field.name: field.default for field in fields(ConnectionOptions)}
    own = list(inspect.signature(command).parameters.values())[1:]
    hints = typing.get_type_hints(command, include_extras=True)

    @functools.wraps(command)
    def called(context: typer.Context, **given: Any) -> Any:
        before = context.parent.params if context.parent is not None else {}
        chosen = {name: given.pop(name) for name in names}
        for name in names:
            if (chosen[name] or None) == (defaults[name] or None) and before.get(name) is not None:
                chosen[name] = before[name]
        return command(ConnectionOptions(**chosen), **given)

    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter("context", kind, annotation=typer.Context)]
    parameters += [one.replace(kind=kind, annotation=hints[one.name]) for one in own]
    parameters += [inspect.Parameter(name, kind, default=defaults[name], annotation=told[name]) for name in names]
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    del called.__wrapped__
    return called
