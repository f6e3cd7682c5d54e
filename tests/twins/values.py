"""Values for filters and orders: from the world, from outside it, and of the wrong kind."""

from typing import Any

from hypothesis import strategies as st

from tests.twins.drawings import ERROR_CODES, KEYS, NAMES, TAGS, TOPICS
from tests.twins.symbols import At, Pick

BUSINESS_KEYS = ("A-1", "A-2", "a_1", "A%1", "ключ", "A-100")
TENANTS = (None, "t1", "t2")
WORKERS = ("w1", "w2", "w%")
MESSAGES = ("boom", "Boom 100%", "time out after 30 s", 'it\'s "quoted"', "b_om", "ошибка")
VARIABLES = ("amount", "prio", "note", "flag", "Amount", "when", "sum_")
NOWHERE = "no such thing"
DATES = ("2026-03-01T09:15:00.000+0000", "2026-03-01T10:15:00.000+0100")


def _or_else(strategy: st.SearchStrategy[Any], *more: Any) -> st.SearchStrategy[Any]:
    """Mostly this; sometimes a value from outside the world."""
    return st.one_of(*[strategy] * 6, st.sampled_from((NOWHERE, "", *more)))


def ids(*kinds: str) -> st.SearchStrategy[Any]:
    """The id of a thing of one of these kinds; sometimes of another, or of nothing."""
    known = st.builds(Pick, st.sampled_from(kinds), st.integers(0, 40), st.booleans())
    return _or_else(known, Pick("instance", 0), Pick("task", 0))


def words(known: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """One of the words that the worlds use, or another."""
    return _or_else(st.sampled_from([word for word in known if word is not None]))


def patterns(known: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """A LIKE pattern near these words."""
    present = [word for word in known if word is not None]

    def cut(word: str, how: int) -> str:
        forms = (
            word,
            f"{word[:2]}%",
            f"%{word[-2:]}",
            f"%{word[1:3]}%",
            f"_{word[1:]}",
            word.upper(),
            "%",
            "",
            word.replace("%", r"\%").replace("_", r"\_"),
            word + "_",
        )
        return forms[how % len(forms)]

    return st.builds(cut, st.sampled_from(present), st.integers(0, 9))


MOMENTS = st.one_of(
    st.builds(At, st.integers(0, 60)),
    st.builds(At, st.integers(0, 60), st.sampled_from((3_600_000, -3_600_000, 86_400_000, 36_000_000))),
    st.sampled_from(DATES),
)
"""Moments between two steps of the world's life, near the ends of locks, or far away."""

VARIABLE_VALUES = st.sampled_from(
    (5, 6, 0, -3, 5.0, 5.5, 2**40, "5", "five", "FIVE", "f_ve", "", True, False, None, DATES[0])
)

PLAIN_TYPES = {"Short": 5, "Integer": 6, "Long": 5, "Double": 5.5, "String": "five", "Boolean": True, "Date": DATES[0]}


def typed_variables() -> st.SearchStrategy[dict[str, Any]]:
    """Variables as clients send them: with a type, without, null."""
    guessed = st.builds(lambda value: {"value": value}, VARIABLE_VALUES)
    given = st.sampled_from([{"value": value, "type": kind} for kind, value in PLAIN_TYPES.items()])
    null = st.sampled_from([{"value": None, "type": kind} for kind in ("String", "Integer", "Null")])
    number = st.sampled_from([{"value": 5, "type": "Double"}, {"value": "6", "type": "integer"}])
    return st.dictionaries(st.sampled_from(VARIABLES), st.one_of(guessed, given, null, number), max_size=3)


def _variable_filter(operators: tuple[Any, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "name": st.sampled_from((*VARIABLES, "AMOUNT", "nothing")),
            "operator": st.sampled_from(operators),
            "value": VARIABLE_VALUES,
        }
    )


VARIABLE_FILTERS = st.lists(
    _variable_filter(("eq", "neq", "gt", "gteq", "lt", "lteq", "like", "notLike", "eq", "neq", "is")),
    min_size=1,
    max_size=2,
)

TEXTS: dict[str, st.SearchStrategy[Any]] = {
    "key": words(KEYS),
    "topic": words(TOPICS),
    "name": words(NAMES),
    "tag": words(TAGS),
    "businessKey": words(BUSINESS_KEYS),
    "tenant": words(TENANTS),
    "worker": words(WORKERS),
    "message": words(MESSAGES),
    "activity": words(("Task0", "Task1", "Task2", "Begin", "Known", "End", "Split")),
    "incidentType": words(("failedExternalTask", "failedJob")),
    "batchType": words(("set-external-task-retries",)),
    "jobType": words(("batch-seed-job", "batch-monitor-job", "set-external-task-retries")),
    "status": words(("open", "resolved")),
    "category": words(("http://retriage/twins",)),
    "resource": words(("one.bpmn", "two.bpmn")),
    "source": words(("here",)),
    "deploymentName": words(("first", "second")),
    "user": words(("ops",)),
    "nobody": words(("no host",)),
    "errorCode": words(ERROR_CODES),
}
"""Words of one meaning."""
