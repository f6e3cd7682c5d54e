"""Completion: names of words, values that are known, and where they go."""

import pytest

from retriage.console.language import INCIDENTS, TASKS, complete, completed

KNOWN = {"topic": ["charge-card", "send mail", "ship"], "tenant": ["a", "b"], "var": ["amount", "due date"]}


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("to", ["topic:", "topic~", "-topic~", "-topic"]),
        ("proc", ["process:", "processname:", "processname~", "process~", "-process~", "-process"]),
        ("-s", ["-suspended"]),
        ("-er", ["-error~", "-error"]),
        ("err", ["error:", "error~", "-error~", "-error"]),
        ("age>", ["age>5m", "age>1h", "age>1d"]),
        ("-lo", ["-locked"]),
        ("topic:", ["topic:charge-card", 'topic:"send mail"', "topic:ship"]),
        ("topic:s", ['topic:"send mail"', "topic:ship"]),
        ("topic:card", ["topic:charge-card"]),
        ('topic:"send', ['topic:"send mail"']),
        ("topic:ship", []),
        ("tenant:a,", ["tenant:a,b"]),
        ("tenant:b", []),
        ("retries:", ["retries:0", "retries:>0", "retries:-"]),
        ("-retries:", ["-retries:0", "-retries:>0", "-retries:-"]),
        ("retries:>", ["retries:>0"]),
        ("retries:0", []),
        ("sort:cr", ["sort:created", "sort:created-desc"]),
        ("sort:id,cr", ["sort:id,created", "sort:id,created-desc"]),
        ("var.", ["var.", "var.amount", 'var."due date"']),
        ("locked to", ["topic:", "topic~", "-topic~", "-topic"]),
        ("xyz", []),
    ],
)
def test_offers_for_tasks(text: str, offers: list[str]) -> None:
    assert complete(text, len(text), TASKS, KNOWN) == offers


def test_known_types_are_offered_without_the_caller() -> None:
    assert complete("type:", 5, "incidents") == ["type:failedExternalTask", "type:failedJob"]


def test_on_a_blank_all_names_are_offered() -> None:
    assert complete("age>1h ", 7, INCIDENTS)[:3] == ["type:", "error:", "error~"]


def test_an_offer_replaces_the_whole_word_under_the_cursor() -> None:
    text = "locked topic:cha retries:0"
    assert completed(text, 13, "topic:charge-card") == ("locked topic:charge-card retries:0", 24)


def test_an_offer_on_a_blank_is_put_in() -> None:
    assert completed("locked ", 7, "topic:") == ("locked topic:", 13)
    assert completed("", 0, "topic:") == ("topic:", 6)
