"""What can be done with a query that was built: apply it, launch it, copy it, save it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.errors import Unsayable
from retriage.console.engine.query_string import parameters
from retriage.console.launch.draft import without_all
from retriage.console.launch.request_text import curl_list, curl_text
from retriage.console.nouns import NOUNS
from retriage.console.reading.selection import Composed, Everything, Marked
from retriage.console.screens.base import ConsoleScreen
from retriage.console.screens.builder.edited_draft import EditedDraft
from retriage.console.screens.builder.faces import filtered_here, json_of, saved_text
from retriage.console.screens.builder.saved import SavedQueries, SaveQuery
from retriage.console.screens.launch.flow import open_launch
from retriage.console.screens.verbs import Verbs
from retriage.console.text.inert import inert
from retriage.console.text.words import things

if TYPE_CHECKING:
    from retriage.console.launch.draft import Draft
    from retriage.console.reading.selection import Selection
    from retriage.console.screens.builder.query_count import QueryCount


class BuilderVerbs(Verbs[ConsoleScreen]):
    """The actions of the builder that use the whole draft.

    Args:
        screen: the builder.
        edited: the draft.
        query_count: what is known of what it selects.
        face: goes to a face by name.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("build",)

    def __init__(
        self, screen: ConsoleScreen, edited: EditedDraft, query_count: QueryCount, face: Callable[[str], None]
    ) -> None:
        super().__init__(screen)
        self._edited = edited
        self._query_count = query_count
        self._face = face

    @property
    def _draft(self) -> Draft:
        return self._edited.draft

    # -- leave ------------------------------------------------------------------------------------------------------

    def action_apply(self) -> None:
        """Show in the list what matches."""
        own = self._draft.sources[0]
        if wrong := self._edited.not_taken_over():
            self.session.news.say(wrong, "warning")
            return
        mistake = self._draft.mistake(own)
        if mistake is not None:
            self.session.news.say(mistake.sentence, "warning")
            return
        if self._draft.chosen not in ([], [own]):
            self.session.news.say("Only the query of tasks is listed; b, then R, launches all sources.", "warning")
        self.screen.dismiss()
        self._edited.origin.built(" ".join(without_all(self._draft.text(own)).split()))

    def action_back(self) -> None:
        """Back to the list as it was; what was built is kept for the next time."""
        self._edited.origin.keep_draft(self._draft)
        self.screen.dismiss()

    def action_retry(self) -> None:
        """Ask how the tasks of this query are to be retried."""
        selection = self._selection()
        if selection is not None:
            retries = self._draft.retries
            open_launch(self.app, self.session, selection, lambda _batch: self._launched(), retries=retries)

    def _launched(self) -> None:
        """A batch was launched: there is nothing left to build."""
        if self.app.screen is self.screen:
            self.action_back()

    def _selection(self) -> Selection | None:
        """What a launch would take; a sentence and nothing if that cannot be said yet."""
        refusal = self._edited.not_taken_over() or self._draft.refusal()
        if not self._draft.request:
            refusal = "Tasks are retried from the builder of the tasks view."
        if refusal:
            self.session.news.say(refusal, "warning")
            return None
        said = self._said()
        everything = self._draft.everything()
        if everything is not None:
            return Everything(everything.query, said=said)
        if self._draft.plain:
            return Composed(self._draft.order(), said=said)
        known = self._query_count.known
        if known is None or not known.exact:
            found = things(len(known.ids), "task") if known is not None else "nothing"
            sentence = f"Still looking: {found} so far. It can be launched when all rows have been read."
            self.session.news.say(sentence, "warning")
            return None
        return Marked(frozenset(known.ids), said=said)

    def _said(self) -> str:
        """The draft in words, for the head of the dialog."""
        texts = {source: " ".join(self._draft.text(source).split()) for source in self._draft.chosen}
        if list(texts) == [self._draft.sources[0]]:
            return texts[self._draft.sources[0]]
        return " + ".join(f"{source.title} {text}" for source, text in texts.items())

    # -- faces and sources ------------------------------------------------------------------------------------------

    def action_text(self) -> None:
        """To the text."""
        self._face("text")

    def action_form(self) -> None:
        """To the form."""
        self._face("form")

    def action_json(self) -> None:
        """To the JSON."""
        self._face("json")

    def action_next_source(self) -> None:
        """The next source of the request."""
        self._edited.to_source(1)

    def action_previous_source(self) -> None:
        """The source before."""
        self._edited.to_source(-1)

    # -- take away --------------------------------------------------------------------------------------------------

    def action_copy(self) -> None:
        """Copy the JSON."""
        draft = self._sayable()
        if draft is not None:
            self.screen.hand_out(json_of(draft), f"the JSON{self._by_ids(draft)}")

    def action_curl(self) -> None:
        """Copy the request as a command."""
        draft = self._sayable()
        command = self._command(draft) if draft is not None else ""
        if draft is not None and command:
            self.screen.hand_out(command, f"the curl command{self._by_ids(draft)}")
        elif draft is not None:
            self.session.news.say("A query of this list cannot be put into an address.", "warning")

    def _sayable(self) -> Draft | None:
        """The draft as the engine can be told it; a sentence and nothing if it cannot, for without the words that only
        the console applies the engine would select more than is meant."""
        refusal = self._edited.not_taken_over() or self._draft.refusal()
        words = ", ".join(map(inert, filtered_here(self._draft)))
        if not refusal and not words:
            return self._draft
        known = self._query_count.known
        if refusal or known is None or not known.exact or not known.ids or not self._draft.request:
            self.session.news.say(refusal or self._why_no_ids(words), "warning")
            return None
        return self._draft.by_ids(known.ids)

    def _why_no_ids(self, words: str) -> str:
        """Why a draft with words that only the console applies is not copied by ids either, in one sentence."""
        cannot, known = f"the engine cannot filter by {words}", self._query_count.known
        if not self._draft.request:
            return f"Not copied: {cannot} and would list more; x in the list exports its rows."
        if known is not None and known.exact:
            return f"Not copied: {cannot}, and no task fits."
        return f"Not copied yet: {cannot}; the ids are copied as soon as all rows have been read."

    def _by_ids(self, draft: Draft) -> str:
        """What was copied instead of the query, in a few words; empty where it is the query."""
        if draft is self._draft:
            return ""
        ids = sum(len(draft.ids(source)) for source in draft.chosen)
        return f" with the ids of {things(ids, 'task')} instead of {', '.join(map(inert, filtered_here(self._draft)))}"

    def _command(self, draft: Draft) -> str:
        identity = self.session.connection.identity
        url = identity.url
        user = (identity.user if identity.url else "") or None
        headers = self.session.connection.client.login_headers if self.session.connection.client is not None else ()
        if draft.request:
            return curl_text(BatchRequest(draft.order()), url, user, headers)
        name, query = self._edited.source.subject, draft.parsed(self._edited.source).query
        try:
            said = parameters(query) if NOUNS[name].method == "GET" else {}
        except Unsayable:
            return ""
        return curl_list(name, query, said, url, user, headers)

    def action_save(self) -> None:
        """Give the query a name."""
        self.look_up(self._save, "builder.save")

    async def _save(self) -> None:
        text = saved_text(self._draft)
        if not text.strip():
            self.session.news.say("There is nothing to save.", "warning")
            return
        if self.session.memory.journal is None:
            self.session.news.say("Without a journal nothing is remembered.", "warning")
            return
        subject = self._draft.sources[0].subject
        names = [query.name for query in await self.session.memory.saved(subject)]
        name = await self.app.push_screen_wait(SaveQuery(text, names))
        if name and await self.session.memory.save(subject, name, text):
            self.session.news.say(f"Saved as {name}; l lists what is saved.", "good")

    def action_saved(self) -> None:
        """Choose among the saved queries."""
        self.look_up(self._choose_saved, "builder.saved")

    async def _choose_saved(self) -> None:
        subject = self._draft.sources[0].subject
        queries = await self.session.memory.saved(subject)
        text = await self.app.push_screen_wait(SavedQueries(self.session, subject, queries))
        if text is not None:
            self._edited.load(text)

    def action_refresh(self) -> None:
        """Count again."""
        self._query_count.count(None if self._draft.refusal() else self._draft)
