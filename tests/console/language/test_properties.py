"""For any text and any query: reading never fails, and what is written is read as the same query."""

import string
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from retriage.console.language import SUBJECTS, TASKS, Subject, complete, completed, parse, write
from retriage.console.language.conditions import Condition, ConsoleWord
from retriage.console.language.console_words import NONE, Is, Number, Since
from retriage.console.language.like import contained, containing, starred, unstarred
from retriage.console.language.moments import written
from retriage.console.language.words import LONG_MAX
from retriage.store.contract.queries import Query, Sorting, TimeFilter, VariableFilter
from retriage.store.contract.values import format_moment

ALL = list(SUBJECTS.values())
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
subjects = st.sampled_from(ALL)

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
TYPED = st.text(st.sampled_from(string.ascii_lowercase[:6] + ' ":,<>=!~-\\.%_0159é'), max_size=40)
MOMENT = st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9999, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
)
LONG = st.integers(-LONG_MAX - 1, LONG_MAX)
NUMBER = st.one_of(LONG, st.floats(allow_nan=False, allow_infinity=False))


def pieces() -> st.SearchStrategy[str]:
    """Lines made of real words and operators in the wrong order."""
    every: list[Any] = [word for subject in ALL for word in (*subject.words, *subject.local)]
    forms = sorted({form for word in every for form in word.forms()})
    values = [
        *forms,
        " ",
        '"',
        ",",
        "a",
        "0",
        ">0",
        "5m",
        "2026-03-01",
        "x y",
        "-",
        "var.a",
        "=",
        "\\",
        ":",
        "~",
        "!~",
        "*",
        "a*b",
        "retries:",
        "3",
    ]
    return st.lists(st.sampled_from(values), max_size=12).map("".join)


def variable(not_like: bool) -> st.SearchStrategy[VariableFilter]:
    name = TEXT.filter(bool)
    comparisons = [
        st.tuples(st.sampled_from(["eq", "neq"]), st.one_of(st.none(), st.booleans(), NUMBER, TEXT)),
        st.tuples(st.sampled_from(["gt", "gteq", "lt", "lteq"]), st.one_of(NUMBER, TEXT)),
        st.tuples(st.just("like"), TEXT),
    ]
    if not_like:
        comparisons.append(st.tuples(st.just("notLike"), TEXT.map(containing)))
    said = st.tuples(name, st.one_of(comparisons))
    return said.map(lambda both: VariableFilter(name=both[0], operator=both[1][0], value=both[1][1]))


def time_filter() -> st.SearchStrategy[TimeFilter]:
    return st.tuples(st.sampled_from(["lt", "gt"]), MOMENT).map(
        lambda both: TimeFilter(operator=both[0], value=format_moment(both[1]))
    )


def value(subject: Subject[Any], name: str) -> st.SearchStrategy[Any]:
    """A value for a field, of the kind that its declaration says."""
    if name == "sorting":
        key = st.sampled_from(subject.query.SORT_KEYS)
        entry = st.tuples(key, st.sampled_from(["asc", "desc"])).map(lambda k: Sorting(sort_by=k[0], sort_order=k[1]))
        return st.lists(entry, min_size=1, max_size=1 if subject.by_get else 3)
    kind = str(subject.query.model_fields[name].annotation)
    if name == "or_queries":
        plain = [other for other in subject.query.filters() if other not in (name, *subject.left_out)]
        one = st.sampled_from(plain).flatmap(lambda other: value(subject, other).map(lambda held: {other: held}))
        return st.lists(one.map(lambda held: subject.query(**held)), min_size=1, max_size=2)
    item = TEXT.filter(lambda text: bool(text) and "," not in text) if subject.by_get else TEXT
    if "VariableFilter" in kind:
        return st.lists(variable(not_like=subject is TASKS), min_size=1, max_size=3)
    if "TimeFilter" in kind:
        return st.lists(time_filter(), min_size=1, max_size=3)
    if "list" in kind:
        return st.lists(item, min_size=1, max_size=3)
    if "bool" in kind:
        return st.booleans() if subject.name == "batches" and name == "suspended" else st.just(True)
    return MOMENT if "datetime" in kind else LONG if "int" in kind else TEXT


def condition(word: ConsoleWord) -> st.SearchStrategy[Condition]:
    """What a word of the console may say."""
    negated = st.booleans()
    if isinstance(word, Is):
        return st.builds(Condition, st.just(word.name), negated=negated)
    if isinstance(word, Since):
        span = st.sampled_from(["5m", "1h30m", "0s", "2d"])
        texts = st.tuples(span if word.age else st.one_of(span, MOMENT.map(written)))
        return st.builds(Condition, st.just(word.name), st.sampled_from("<>"), texts, negated)
    if isinstance(word, Number):
        number = st.one_of(LONG.map(str), st.just(NONE)) if word.none else LONG.map(str)
        one = st.builds(
            Condition, st.just(word.name), st.sampled_from(["<", "<=", ">", ">="]), st.tuples(LONG.map(str))
        )
        some = st.lists(number, min_size=1, max_size=3).map(tuple)
        return st.one_of(one, st.builds(Condition, st.just(word.name), st.just(":"), some, negated))
    star = st.text(st.sampled_from("ab*.-"), min_size=1, max_size=6).filter(lambda text: "*" in text)
    return st.one_of(
        st.builds(Condition, st.just(word.name), negated=negated),
        st.builds(Condition, st.just(word.name), st.just("~"), st.tuples(TEXT), negated),
        st.builds(
            Condition, st.just(word.name), st.just(":"), st.lists(TEXT, min_size=1, max_size=3).map(tuple), negated
        ),
        st.builds(
            Condition, st.just(word.name), st.just("*"), st.lists(star, min_size=1, max_size=2).map(tuple), negated
        ),
    )


@st.composite
def conditions(draw: st.DrawFn) -> tuple[Subject[Any], tuple[Condition, ...]]:
    """Conditions of one subject that only the console can apply."""
    subject = draw(subjects.filter(lambda subject: subject.local))
    words = [word for word in subject.local if word.name not in subject.by_name]
    return subject, tuple(draw(st.lists(st.sampled_from(words).flatmap(condition), max_size=4)))


@st.composite
def queries(draw: st.DrawFn) -> tuple[Subject[Any], Query]:
    """A query of filters that may stand together."""
    subject = draw(subjects)
    names = sorted({name for word in subject.words for name in word.fields()})
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=6))
    assume(all(len(apart.fields.intersection(chosen)) < 2 for apart in subject.apart))
    return subject, subject.query(**{name: draw(value(subject, name)) for name in chosen})


@unhurried
@given(queries())
def test_what_is_written_is_read_as_the_same_query(both: tuple[Subject[Any], Query]) -> None:
    subject, query = both
    parsed = parse(write(query, subject), subject)
    assert parsed.mistakes == []
    assert parsed.query == query


@unhurried
@given(conditions())
def test_what_the_console_looks_for_is_read_as_the_same(both: tuple[Subject[Any], tuple[Condition, ...]]) -> None:
    subject, wanted = both
    parsed = parse(write(subject.query(), subject, wanted), subject)
    assert parsed.mistakes == []
    assert parsed.conditions == wanted
    assert parsed.query == subject.query()


@unhurried
@given(subjects, st.one_of(TYPED, pieces(), st.text(max_size=60)), st.integers(0, 60))
@example(TASKS, "var.", 4)
@example(TASKS, 'var."', 5)
@example(TASKS, "-", 1)
@example(TASKS, "retries:>", 9)
@example(TASKS, "\x1c\x85\u2028topic:\u3000a", 3)
@example(TASKS, "priority>" + "9" * 5000, 3)
def test_reading_and_completing_never_fail(subject: Subject[Any], text: str, cursor: int) -> None:
    parsed = parse(text, subject)
    for mistake in parsed.mistakes:
        assert 0 <= mistake.start < mistake.end <= len(text)
        assert mistake.sentence
    for offer in complete(text, min(cursor, len(text)), subject, {"topic": ["a", "b c"], "var": ["x y"]}):
        line, place = completed(text, min(cursor, len(text)), offer)
        assert line[:place].endswith(offer)


@unhurried
@given(st.one_of(TYPED, pieces()), subjects)
def test_what_was_read_without_mistake_can_be_written_and_read_again(text: str, subject: Subject[Any]) -> None:
    parsed = parse(text, subject)
    if parsed.mistakes:
        return
    try:
        line = write(parsed.query, subject, parsed.conditions)
    except ValueError:
        assert "!~" in text
        return
    again = parse(line, subject)
    assert (again.mistakes, again.query, again.conditions) == ([], parsed.query, parsed.conditions)


@unhurried
@given(TEXT)
def test_a_searched_text_comes_back_from_its_pattern(text: str) -> None:
    assert contained(containing(text)) == text


@unhurried
@given(st.text(st.sampled_from("ab*%_\\ "), max_size=10).filter(lambda text: "*" in text))
def test_a_text_with_stars_comes_back_from_its_pattern(text: str) -> None:
    assert unstarred(starred(text)) == text


@pytest.mark.parametrize("pattern", ["", "%", "a%", "%a", "%a%b%", "%a_b%", "%a\\", "%a\\%", "%a\\b%", "%\\%"])
def test_other_patterns_are_not_taken_for_a_searched_text(pattern: str) -> None:
    assert contained(pattern) is None


@unhurried
@given(subjects)
def test_every_offered_name_begins_a_word_of_the_subject(subject: Subject[Any]) -> None:
    for offer in complete("", 0, subject):
        assert offer.lstrip("-").rstrip(":~<>=.") in subject.names
