"""What the guide of the walk sees of a run."""

from types import SimpleNamespace
from typing import Any

import pytest

from retriage.console.screens.tour import TourGuide
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.console.session.tour import Tour


def guide() -> tuple[TourGuide, Session]:
    screen = SimpleNamespace(query=lambda selector: [], VIEW="journal")
    app: Any = SimpleNamespace(screen=screen, focused=None)
    session = Session(ConnectionIdentity("DEMO"))
    return TourGuide(app, session, Tour()), session


@pytest.mark.parametrize("after", [("run 1 held", "run 1 held"), ("run 1 wave 2", "")])
def test_a_run_is_judged_when_its_gate_holds_it_and_when_it_went_through(after: tuple[str, str]) -> None:
    """The outage ends, however slowly one reads: then the first wave does not fail again."""
    found, session = guide()
    assert (found.seen().launched, found.seen().judged) == (False, False)
    session.watch.run_told = ("run 1 wave 1", "accent")
    assert (found.seen().launched, found.seen().judged) == (True, False)
    for told in after:
        session.watch.run_told = (told, "accent")
        seen = found.seen()
    assert (seen.launched, seen.judged) == (True, True)
