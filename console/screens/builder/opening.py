"""Opens the builder for a list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retriage.console.launch.draft import SOURCES, Draft, Source
from retriage.console.nouns import NOUNS
from retriage.console.screens.builder.edited_draft import List
from retriage.console.screens.builder.screen import BuilderScreen

if TYPE_CHECKING:
    from retriage.console.screens.subject import ListSubject
    from retriage.console.session.session import Session


def builder_for(
    session: Session, subject: ListSubject[Any], text: str, before: tuple[str, Draft] | None, origin: List
) -> BuilderScreen:
    """The builder of a list.

    Args:
        session: whose engine is asked.
        subject: what the list shows; tasks are built with all sources of a launch.
        text: the filter of the list.
        before: what was built the last time, and the filter it was begun with; it goes on if that filter is the same.
        origin: the list.
    """
    noun = NOUNS[subject.name]
    sources = SOURCES if subject.name == "tasks" else (Source("query", noun.many, subject.name),)
    draft = Draft(sources, {sources[0].field: text}, capabilities=session.connection.capabilities)
    if before is not None and before[0] == text:
        draft = replace(before[1], capabilities=session.connection.capabilities)
    return BuilderScreen(session, subject.name, (noun.one, noun.many), draft, origin)
