"""What the console finds out about an engine before it leaves anything to it, in the words of the contract."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriage.console.batches.diagnosis import diagnose
from retriage.console.batches.diagnosis_facts import DiagnosisReader
from retriage.console.engine.capabilities import EVERYTHING, LISTS, Capabilities, ListCapabilities
from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import Refused, Unreachable
from retriage.console.language import parse, subject_on
from retriage.console.launch.draft import SOURCES, Draft
from retriage.store.embedded import embedded_app
from tests.console.batches.test_diagnosis import at
from tests.console.fake import FakeEngine
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda
from tests.support.old_engine import LACKING, forgetful

ROOT = "http://engine.test/engine-rest"
IGNORED = {
    "tasks": {
        "process_definition_key", "process_definition_key_in", "process_definition_name",
        "process_definition_name_like", "process_variables",
    },
    "instances": {"root_process_instance_id"},
    "jobs": {"acquired"},
    "history": {"activity_id_in", "incident_id_in", "process_instance_id_not_in", "root_process_instance_id"},
}  # fmt: skip


class Asked:
    """Counts the questions."""

    def __init__(self) -> None:
        self.number = 0

    async def __call__(self, request: httpx.Request) -> None:
        self.number += 1


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture(params=[False, True], ids=["knows all", "forgets"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, asked: Asked) -> AsyncIterator[httpx.AsyncClient]:
    """The store served to a console that does not know it, whole and less what Camunda 7.21.0 lacks."""
    app = embedded_app(str(tmp_path / "store.db"))
    async with app.router.lifespan_context(app):
        served: Any = forgetful(app) if request.param else app  # type: ignore[arg-type]
        transport = httpx.ASGITransport(served, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ROOT, event_hooks={"request": [asked]}) as http:
            http.params = http.params.set("old", str(request.param))
            yield http


def old(http: httpx.AsyncClient) -> bool:
    """The engine is the one that forgets."""
    return http.params["old"] == "True"


async def a_task(http: httpx.AsyncClient) -> None:
    """One instance that waits at a task."""
    drawing = Drawing("claim", [Step("Charge", "charge-card")])
    await http.post("/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})
    (await http.post("/process-definition/key/claim/start", json={})).raise_for_status()


@pytest.mark.parametrize("rows", [False, True])
async def test_each_filter_that_an_engine_lacks_is_found_at_connect(
    store: httpx.AsyncClient, asked: Asked, rows: bool
) -> None:
    if rows:
        await a_task(store)
    before = asked.number
    found = await EngineClient(store).capabilities()
    assert asked.number - before == 10
    assert found.asked
    for subject in ("tasks", "instances", "jobs"):
        assert found.of(subject).ignored == (IGNORED[subject] if old(store) else set())
        assert found.of(subject).heeded == (set() if old(store) else IGNORED[subject])
        assert found.unreliable(subject) == found.of(subject).ignored
    assert ("create_time" in found.absent("tasks")) == (old(store) and rows)
    assert ("definition_key" in found.absent("instances")) == (old(store) and rows)


@pytest.mark.parametrize("rows", [False, True])
async def test_every_filter_of_every_list_can_be_proven(store: httpx.AsyncClient, rows: bool) -> None:
    if rows:
        await a_task(store)
    client = EngineClient(store)
    found = Capabilities()
    for subject, table in LISTS.items():
        found = await client.prove(found, subject, table.query.filters())
        assert found.unproven(subject, table.query.filters()) == []
        assert found.of(subject).ignored == (IGNORED[subject] if old(store) else set())


async def test_what_is_known_is_not_asked_again(store: httpx.AsyncClient, asked: Asked) -> None:
    await a_task(store)
    client = EngineClient(store)
    found = await client.capabilities()
    before = asked.number
    # Only the jobs had no row to look at.
    assert await client.capabilities(found) == found
    assert asked.number - before == 1
    assert await client.prove(found, "tasks", ["process_definition_key"]) is not None
    assert asked.number - before == 1


@pytest.mark.engine
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", [camunda.OLD, camunda.REFERENCE, camunda.OPERATON], ids=lambda kind: kind.name)
async def test_real_engines(kind: camunda.EngineKind, tmp_path: Path) -> None:
    if why := camunda.what_is_missing(configured=True, kind=kind):
        pytest.skip(why)
    with camunda.running(tmp_path / "log", kind=kind) as root:
        async with httpx.AsyncClient(base_url=root, trust_env=False, timeout=60) as http:
            client = EngineClient(http)
            for _ in range(2):
                found = await client.capabilities()
                for subject in LISTS:
                    found = await client.prove(found, subject, LISTS[subject].query.filters())
                    assert found.unproven(subject, LISTS[subject].query.filters()) == []
                    lacks = IGNORED[subject] | ({"with_jobs_retrying"} if subject == "history" else set())
                    assert found.of(subject).ignored == (lacks if kind is camunda.OLD else set())
                await a_task(http)
            assert ("create_time" in found.absent("tasks")) == (kind is camunda.OLD)
            assert ("definition_key" in found.absent("instances")) == (kind is camunda.OLD)


class Answers:
    """Answers first rows as it is told."""

    def __init__(self, *answers: list[dict[str, Any]] | Exception) -> None:
        self.answers = list(answers)

    async def first_rows(self, path: str, body: Any, size: int) -> list[dict[str, Any]]:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_a_question_that_nobody_answers_proves_nothing() -> None:
    from retriage.console.engine.capabilities import learn

    lost = Unreachable("gone")
    unread = Refused(
        "no", 400, None, 'Cannot deserialize (through reference chain: TaskQueryDto["processDefinitionName"])'
    )
    found = await learn(Answers([], lost, Refused("no", 500), unread, [], lost), Capabilities(), "tasks")
    assert found.of("tasks").heeded == {"process_definition_name"}
    assert found.of("tasks").ignored == {"process_definition_name_like"}
    assert "process_definition_key" in found.unreliable("tasks")
    assert found.unproven("tasks", ["process_definition_key"]) == ["process_definition_key"]


async def test_a_page_of_a_proxy_proves_no_filter() -> None:
    from retriage.console.engine.capabilities import learn

    blocked = Refused("no", 400, None, "Request blocked")
    found = await learn(Answers([], *[blocked] * 5), Capabilities(), "tasks")
    assert (found.of("tasks").heeded, found.of("tasks").ignored) == (frozenset(), frozenset())


async def test_sort_keys_that_an_engine_refuses_are_found_one_by_one() -> None:
    from retriage.console.engine.capabilities import learn

    keys = LISTS["tasks"].query.SORT_KEYS
    refused = Refused("Cannot set query sortBy parameter", 400, "InvalidRequestException")
    each: list[list[dict[str, Any]] | Exception] = [refused if key == "createTime" else [] for key in keys]
    found = await learn(Answers(refused, [], *each, [], [], [], [], []), Capabilities(), "tasks")
    assert found.unsortable("tasks") == {"createTime"}
    words = subject_on("tasks", found)
    assert "cannot sort tasks by createTime" in parse("sort:created", words).mistakes[0].sentence
    assert parse("sort:id", words).mistakes == []


OLD = Capabilities(
    {subject: ListCapabilities(asked=True, ignored=frozenset(names)) for subject, names in IGNORED.items()}
    | {
        "tasks": ListCapabilities(
            asked=True, ignored=frozenset(IGNORED["tasks"]), absent=frozenset({"create_time"}), seen=True
        )
    }
)


@pytest.mark.parametrize("text", ["process:claim", "process:a,b", "process:cl*"])
def test_what_the_engine_ignores_the_console_looks_for(text: str) -> None:
    parsed = parse(f"{text} retries:0", subject_on("tasks", OLD))
    assert parsed.mistakes == []
    assert parsed.query.chosen() == {"no_retries_left": True}
    assert [condition.word for condition in parsed.conditions] == ["process"]
    if "*" not in text:
        assert parse(text, subject_on("tasks", EVERYTHING)).plain
    assert not parse(text, subject_on("tasks", Capabilities())).plain


@pytest.mark.parametrize(
    ("subject", "text", "said"),
    [
        ("tasks", "var.amount>100", "cannot filter tasks by var"),
        ("tasks", "processname:x", "cannot filter tasks by processname"),
        ("tasks", "age>1h", "tasks do not show their create time"),
        ("tasks", "-created>1h", "tasks do not show their create time"),
        ("instances", "topmost:x", "cannot filter instances by topmost"),
        ("jobs", "acquired", "cannot filter jobs by acquired"),
        ("history", "at:x", "cannot filter history by at"),
        ("history", 'any:"at:x key:y"', "cannot filter history by any"),
    ],
)
def test_what_nobody_can_look_for_is_refused(subject: str, text: str, said: str) -> None:
    parsed = parse(text, subject_on(subject, OLD))
    assert said in "".join(mistake.sentence for mistake in parsed.mistakes)
    assert parsed.query.chosen() == {}
    assert parsed.conditions == ()


def test_the_builder_puts_the_word_among_those_of_the_console() -> None:
    source = SOURCES[0]
    draft = Draft(SOURCES, {source.field: "process:claim retries:0"}, capabilities=OLD)
    assert not draft.plain
    assert draft.everything() is None
    typed = Draft(SOURCES, {source.field: "retries:0"}, capabilities=OLD).with_field(
        source, "process_definition_key", "claim"
    )
    assert typed.text(source) == "process:claim retries:0"
    assert typed.parsed(source).query.chosen() == {"no_retries_left": True}
    assert not typed.plain


async def test_the_doctor_does_not_count_what_the_engine_cannot_tell() -> None:
    engine = FakeEngine()
    engine.all_jobs = []
    reader = DiagnosisReader("b", "s", "w", "m")
    facts = await reader.examine(engine, at(), 500.0, acquired=False)  # type: ignore[arg-type]
    assert (facts.locked, facts.locked_elsewhere, facts.tells_locks) == (0, 0, False)
    assert "does not show which jobs" in diagnose(facts).sentence
    assert diagnose(facts).name != "not active"


def test_what_an_engine_cannot_is_told_as_the_contract_names_it() -> None:
    assert "ignores processDefinitionKey" in OLD.limits["tasks"]
    assert "returns no createTime" in OLD.limits["tasks"]
    assert EVERYTHING.limits == {}
    assert set(LACKING) == {table.noun.path for table in LISTS.values()}
