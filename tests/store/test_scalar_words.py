"""A value of the wrong kind is named as JSON names it."""

from typing import Any

import pytest

from store.api.requests import parse
from store.contract.errors import ContractError
from store.contract.model import Shape
from store.contract.values import Bool, Int, MaybeMoment, Text
from store.settings import StoreSettings


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
        (b'{"word": {"a": 1}}', "'word': an object is not a text"),
        (b'{"word": []}', "'word': a list is not a text"),
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
