"""A value of the wrong kind is named as JSON names it."""

from datetime import UTC
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retriage.store.api.requests import parse
from retriage.store.contract.errors import ContractError
from retriage.store.contract.model import Shape
from retriage.store.contract.values import Bool, Int, MaybeMoment, Text, format_moment, parse_moment
from retriage.store.settings import StoreSettings

NEARLY = r"[0-3]\d{3}-[0-9W][0-9]-[0-9]\d[T ][0-2]\d:[0-6]\d[:.][0-6]\d[.,]\d{3}[+-][0-2]\d:?[0-5]\d"


class Scalars(Shape):
    number: Int = None
    flag: Bool = None
    word: Text = None
    moment: MaybeMoment = None


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"number": true}', "'number': true is not an integer"),
        (b'{"number": {}}', "'number': an object is not an integer"),
        (b'{"number": [1]}', "'number': a list is not an integer"),
        (b'{"number": "many"}', "'number': 'many' is not an integer"),
        (b'{"flag": "yes"}', "'flag': 'yes' is not true or false"),
        (b'{"flag": {}}', "'flag': an object is not true or false"),
        (b'{"word": {"a": 1}}', "'word': an object is not a string"),
        (b'{"word": []}', "'word': a list is not a string"),
        (b'{"moment": false}', "'moment': false is not a date"),
        (b'{"moment": 1.5}', "'moment': 1.5 is not a date"),
    ],
)
def test_sentences(body: bytes, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        parse(Scalars, body, StoreSettings())
    assert refusal.value.message == f"Cannot read property {sentence}"


def test_what_can_be_read() -> None:
    values: dict[str, Any] = parse(
        Scalars, b'{"number": "5", "flag": 0, "word": 3, "moment": 0}', StoreSettings()
    ).model_dump()
    assert (values["number"], values["flag"], values["word"]) == (5, False, "3")


@given(
    st.one_of(
        st.datetimes(timezones=st.just(UTC)).map(format_moment),
        st.from_regex(NEARLY, fullmatch=True),
        st.text(alphabet="0123456789-:TWZ+., ", min_size=26, max_size=30),
    )
)
@example("2026-W48-5T09:15:00.123+0000")
@example("2026-11-27T09:15:00.12345678")
@example("2026-02-30T24:61:00.123-2359")
def test_a_moment_as_engines_write_it_is_read_as_any_other_spelling(written: str) -> None:
    assert told(written) == told(f"{written} ")  # text behind a date is ignored, and such a text is taken apart


def told(text: str) -> object:
    try:
        return parse_moment(text)
    except ValueError as problem:
        return type(problem)
