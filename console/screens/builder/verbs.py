"""What can be done with a query that was built: apply it, launch it, copy it, save it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from console.screens.base import ConsoleScreen
from console.screens.builder.faces import json_of, saved_text, sifted_here
from console.session import saved_filters
from console.text.inert import inert
from console.text.words import things

if TYPE_CHECKING:
    from console.launch.draft import Draft, Source
    from console.reading.selection import Selection
    from console.screens.builder.counting import Counting
    from console.screens.builder.screen import List


class TakingAway(ConsoleScreen):
    """The actions of the builder that use the whole draft."""

    draft: Draft
    source: Source
    origin: List
    counting: Counting
    json_wrong: str
    """Why the JSON cannot be read, in one sentence; empty while it can."""

    def face(self, name: str) -> None:
        """Go to a face of the query."""
        raise NotImplementedError

    def load(self, text: str) -> None:
        """Go on with a query that was saved."""
        raise NotImplementedError

    def to_source(self, step: int) -> None:
        """Another source of the request."""
        raise NotImplementedError

    # -- leave ------------------------------------------------------------------------------------------------------

    def action_apply(self) -> None:
        """Show in the list what matches."""
        own = self.draft.sources[0]
        if wrong := self._not_taken_over():
            self.session.say(wrong, "warning")
            return
        mistake = self.draft.mistake(own)
        if mistake is not None:
            self.session.say(mistake.sentence, "warning")
            return
        from console.launch.draft import without_all

        if self.draft.chosen not in ([], [own]):
            self.session.say("Only the query of tasks is listed; b, then R, launches all sources.", "warning")
        self.dismiss()
        self.origin.built(" ".join(without_all(self.draft.text(own)).split()))

    def action_back(self) -> None:
        """Back to the list as it was; what was built is kept for the next time."""
        self.origin.keep_draft(self.draft)
        self.dismiss()

    def action_retry(self) -> None:
        """Ask how the tasks of this query are to be retried."""
        from console.screens.launch.flow import open_launch

        selection = self._selection()
        if selection is not None:
            retries = self.draft.retries
            open_launch(self.app, self.session, selection, lambda _batch: self._launched(), retries=retries)

    def _not_taken_over(self) -> str:
        """One sentence while the JSON says something else than the query; empty otherwise."""
        return f"The JSON is not taken over: {self.json_wrong}" if self.json_wrong else ""

    def _launched(self) -> None:
        """A batch was launched: there is nothing left to build."""
        if self.app.screen is self:
            self.action_back()

    def _selection(self) -> Selection | None:
        """What a launch would take; a sentence and nothing if that cannot be said yet."""
        refusal = self._not_taken_over() or self.draft.refusal()
        if not self.draft.request:
            refusal = "Tasks are retried from the builder of the tasks view."
        if refusal:
            self.session.say(refusal, "warning")
            return None
        from console.reading.selection import Composed, Everything, Marked

        said = self._said()
        everything = self.draft.everything()
        if everything is not None:
            return Everything(everything.query, said=said)
        if self.draft.plain:
            return Composed(self.draft.order(), said=said)
        known = self.counting.known
        if known is None or not known.exact:
            found = things(len(known.ids), "task") if known is not None else "nothing"
            self.session.say(f"Still looking: {found} so far. It can be launched when all rows were read.", "warning")
            return None
        return Marked(frozenset(known.ids), said=said)

    def _said(self) -> str:
        """The draft in words, for the head of the dialog."""
        texts = {source: " ".join(self.draft.text(source).split()) for source in self.draft.chosen}
        if list(texts) == [self.draft.sources[0]]:
            return texts[self.draft.sources[0]]
        return " + ".join(f"{source.title} {text}" for source, text in texts.items())

    # -- faces and sources ------------------------------------------------------------------------------------------

    def action_text(self) -> None:
        """To the text."""
        self.face("text")

    def action_form(self) -> None:
        """To the form."""
        self.face("form")

    def action_json(self) -> None:
        """To the JSON."""
        self.face("json")

    def action_next_source(self) -> None:
        """The next source of the request."""
        self.to_source(1)

    def action_previous_source(self) -> None:
        """The source before."""
        self.to_source(-1)

    # -- take away --------------------------------------------------------------------------------------------------

    def action_copy(self) -> None:
        """Copy the JSON."""
        draft = self._sayable()
        if draft is not None:
            self.hand_out(json_of(draft), f"the JSON{self._by_ids(draft)}")

    def action_curl(self) -> None:
        """Copy the request as a command."""
        draft = self._sayable()
        command = self._command(draft) if draft is not None else ""
        if draft is not None and command:
            self.hand_out(command, f"the curl command{self._by_ids(draft)}")
        elif draft is not None:
            self.session.say("A query of this list cannot be said in an address.", "warning")

    def _sayable(self) -> Draft | None:
        """The draft as the engine can be told it; a sentence and nothing if it cannot, for without the words that only
        the console applies the engine would select more than is meant."""
        refusal = self._not_taken_over() or self.draft.refusal()
        words = ", ".join(map(inert, sifted_here(self.draft)))
        if not refusal and not words:
            return self.draft
        known = self.counting.known
        if refusal or known is None or not known.exact or not known.ids or not self.draft.request:
            self.session.say(refusal or self._why_no_ids(words), "warning")
            return None
        return self.draft.by_ids(known.ids)

    def _why_no_ids(self, words: str) -> str:
        """Why a draft with words that only the console applies is not copied by ids either, in one sentence."""
        cannot, known = f"the engine cannot filter by {words}", self.counting.known
        if not self.draft.request:
            return f"Not copied: {cannot} and would list more; x in the list exports its rows."
        if known is not None and known.exact:
            return f"Not copied: {cannot}, and no task fits."
        return f"Not copied yet: {cannot}; the ids are copied as soon as all rows were read."

    def _by_ids(self, draft: Draft) -> str:
        """What was copied instead of the query, in a few words; empty where it is the query."""
        if draft is self.draft:
            return ""
        ids = sum(len(draft.ids(source)) for source in draft.chosen)
        return f" with the ids of {things(ids, 'task')} instead of {', '.join(map(inert, sifted_here(self.draft)))}"

    def _command(self, draft: Draft) -> str:
        from console.engine.errors import Unsayable
        from console.engine.query_string import parameters
        from console.launch.request_text import LISTS, curl_list, curl_text

        identity = self.session.identity
        url = identity.url
        user, token = (identity.user if identity.url else "") or None, False
        if draft.request:
            return curl_text(draft.order(), url, user, token)
        name, query = self.source.subject, draft.parsed(self.source).query
        try:
            said = parameters(query) if LISTS[name][0] == "GET" else {}
        except Unsayable:
            return ""
        return curl_list(name, query, said, url, user, token)

    @work(group="builder.save", exclusive=True, exit_on_error=False)
    async def action_save(self) -> None:
        """Give the query a name."""
        from console.screens.builder.saved import SaveQuery

        text = saved_text(self.draft)
        if not text.strip():
            self.session.say("There is nothing to save.", "warning")
            return
        if self.session.journal is None:
            self.session.say("Without a journal nothing is remembered.", "warning")
            return
        subject = self.draft.sources[0].subject
        names = [query.name for query in await saved_filters.saved(self.session, subject)]
        name = await self.app.push_screen_wait(SaveQuery(text, names))
        if name and await saved_filters.save(self.session, subject, name, text):
            self.session.say(f"Saved as {name}; l lists what is saved.", "good")

    @work(group="builder.saved", exclusive=True, exit_on_error=False)
    async def action_saved(self) -> None:
        """Choose among the saved queries."""
        from console.screens.builder.saved import SavedQueries

        subject = self.draft.sources[0].subject
        queries = await saved_filters.saved(self.session, subject)
        text = await self.app.push_screen_wait(SavedQueries(self.session, subject, queries))
        if text is not None:
            self.load(text)

    def action_refresh(self) -> None:
        """Count again."""
        self.counting.count(None if self.draft.refusal() else self.draft)
