"""The launch dialog: deciding, and taking the request away as a text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from textual import work
from textual.screen import ModalScreen

from console.folders import home
from console.launch.send import DecidedLaunch
from console.screens import clipboard
from console.screens.dialogs.field import Field
from console.text.words import count
from store.private_files import make_folder, open_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.launch.overlapping_batches import OverlappingBatch
    from console.launch.plan import LaunchPlan
    from console.session.session import Session


class Taking(ModalScreen[DecidedLaunch | None]):
    """What the keys of the dialog do to the request."""

    session: Session
    plan: LaunchPlan | None
    rivals: Sequence[OverlappingBatch]
    _every_task_meant: bool
    _hurried: str | None
    """What stood in the retries field when launch was pressed before it was counted."""
    _insisted: bool
    """Launch was pressed: what is missing is told."""
    _too_early: bool
    """Launch was pressed before it was counted, and something about it wants a look."""
    _waiting: bool
    """Launch was pressed while the journal was opening: it waits for that, or for the second press."""

    def write(self) -> None:
        """Show what is so now."""
        raise NotImplementedError

    @property
    def retries(self) -> int | None:
        """The value in the field."""
        raise NotImplementedError

    @property
    def journal_opens(self) -> bool:
        """The journal is not open yet, and may still be."""
        return bool(getattr(self.app, "journal_opens", False))

    @property
    def unkept(self) -> str:
        """Why it would not be written down now, in one sentence; empty if it would."""
        return str(getattr(self.app, "unkept", ""))

    def why_not(self) -> str:
        """One sentence if it cannot be launched now; empty if it can."""
        plan = self.plan
        if busy := self.session.why_no_launch():
            return busy
        if plan is None:
            return "It is still being counted."
        if not plan.count:
            return plan.warnings()[0]
        if self.retries is None:
            return "Type how many retries to set."
        if not plan.ready:
            return "The tasks are still being read."
        if plan.everything and not self._every_task_meant:
            return "Press E if every external task of the engine is meant."
        return self.session.why_no_orders() or (self._why_not_on_prod(plan) if self.session.safety.guarded else "")

    def _why_not_on_prod(self, plan: LaunchPlan) -> str:
        environment = self.session.identity.environment
        if not self.query_one("#reason", Field).value.strip():
            return f"Type a reason: it is required on {environment}."
        typed = "".join(sign for sign in self.query_one("#count", Field).value if sign.isdigit())
        if typed != str(plan.count):
            return f"Type the number of tasks, {count(plan.count)}, to launch on {environment}."
        return ""

    def action_launch(self) -> None:
        """Launch what is shown; what is pressed before it is counted waits for that."""
        why = self.why_not()
        ready = not why and self.plan is not None
        if ready and self.plan is not None and (self._waiting or not self.journal_opens):
            shown = frozenset(rival.batch_id for rival in self.rivals)
            self.dismiss(DecidedLaunch(self.plan, self.query_one("#reason", Field).value.strip(), overlaps=shown))
            return
        self._waiting = ready
        self._hurried = self.query_one("#retries", Field).value if ready or self.plan is None else None
        self._insisted, self._too_early = True, False
        if not ready:
            self._lead()
        self.write()

    def _lead(self) -> None:
        """To the field that is missing."""
        if self.plan is None or not self.session.safety.guarded or self.session.why_no_orders():
            return
        reason = self.query_one("#reason", Field)
        (self.query_one("#count", Field) if reason.value.strip() else reason).enter()

    def _keep_up(self, plan: LaunchPlan) -> None:
        """Launch was pressed before the count or the journal was there: do it now, if nothing about it wants a look."""
        if self._hurried is None or self.journal_opens:
            return
        # Keys behind the one that launched may have changed the number; that was not what was meant.
        other = self._hurried != self.query_one("#retries", Field).value
        looked, self._hurried, self._waiting = self._waiting, None, False
        if other or self.unkept or (not looked and (plan.wants_a_look or self.session.safety.guarded)):
            self._too_early = not looked
            self.call_after_refresh(self.write)
        else:
            self.action_launch()

    @work(group="launch.arm", exclusive=True, exit_on_error=False)
    async def action_arm(self) -> None:
        """Take the safety off for ten minutes, or put it back."""
        from console.screens.gate import take_safety_off_or_put_it_back

        await take_safety_off_or_put_it_back(self.app, self.session)
        self.write()

    async def action_help(self) -> None:
        """The keys of this page."""
        await self.app.run_action("help")

    # -- take away --------------------------------------------------------------------------------------------------

    def _json(self) -> str:
        return self.plan.json(None) if self.plan is not None and self.plan.ready else ""

    def action_copy_json(self) -> None:
        """Copy the body."""
        self._copy(self._json(), "the request's JSON")

    def action_copy_curl(self) -> None:
        """Copy the request as a command."""
        identity = self.session.identity
        if self.plan is not None and self.plan.ready:
            user = identity.user if identity.url else None
            self._copy(self.plan.curl(identity.url, user), "the request as curl")

    @work(group="launch.copy", exit_on_error=False)
    async def _copy(self, text: str, what: str) -> None:
        if not text:
            return
        if clipboard.fits(text):
            self.app.copy_to_clipboard(text)
        self.session.say(clipboard.said(what, text, await clipboard.keep(text)), "muted")

    def action_save(self) -> None:
        """Write the body to a file."""
        text = self._json()
        if not text:
            return
        number = len(json.loads(text).get("externalTaskIds") or [])
        try:
            file = saved(text, self.plan)
        except OSError as problem:
            self.session.say(f"The request cannot be written to a file: {problem.strerror}.", "failed")
            return
        ids = f" with {count(number)} ids" if number else ""
        self.session.say(f"The request{ids} is written to {file}", "good")


def saved(text: str, plan: Any) -> str:
    """Write a request to a new file in the folder of the operator's things; answers its path.

    Raises:
        OSError: it cannot be written.
    """
    folder = home() / "launches"
    make_folder(folder)
    file = folder / f"retries-{plan.facts.at:%Y%m%d-%H%M%S}.json"
    with open_file(file, "w") as opened:
        opened.write(text + "\n")
    return str(file)
