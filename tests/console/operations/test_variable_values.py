"""Values of variables: how they are typed, of which type they are sent, and how they are read back."""

import pytest

from retriage.console.operations.variable_values import SetValue, VariableMistake, resolved, typed, value_of


@pytest.mark.parametrize(
    ("text", "existing", "value"),
    [
        ("amount=130", "Integer", {"value": 130, "type": "Integer"}),
        ("amount=130", "", {"value": "130", "type": "String"}),
        ("amount=130", "String", {"value": "130", "type": "String"}),
        ("amount=1.5", "Double", {"value": 1.5, "type": "Double"}),
        ("amount:long=130", "Integer", {"value": 130, "type": "Long"}),
        ("amount:=130", "", {"value": 130, "type": "Integer"}),
        ("amount:=130", "Long", {"value": 130, "type": "Long"}),
        ("amount:=130", "Double", {"value": 130.0, "type": "Double"}),
        ("amount:=130", "String", {"value": 130, "type": "Integer"}),
        ("amount:=3000000000", "", {"value": 3000000000, "type": "Long"}),
        ("amount:=1.5", "", {"value": 1.5, "type": "Double"}),
        ("paid:=true", "String", {"value": True, "type": "Boolean"}),
        ("paid=TRUE", "Boolean", {"value": True, "type": "Boolean"}),
        ("note:=null", "Integer", {"value": None, "type": "Integer"}),
        ("note:=null", "", {"value": None, "type": "Null"}),
        ('note:="a=b"', "", {"value": "a=b", "type": "String"}),
        ("note=a:=b", "", {"value": "a:=b", "type": "String"}),
        ("note=", "", {"value": "", "type": "String"}),
        ("at:Date=2026-03-01T10:00:00.000+0100", "", {"value": "2026-03-01T09:00:00.000+0000", "type": "Date"}),
    ],
)
def test_three_forms_and_their_types(text: str, existing: str, value: dict[str, object]) -> None:
    assert resolved(typed(text), existing).wire == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("amount", "write it like NAME=TEXT"),
        ("=1", "write it like NAME=TEXT"),
        ("amount:=abc", "amount is not JSON"),
        ("amount:=NaN", "amount is not JSON"),
        ("amount:=[1]", "serialized Java object"),
        ('amount:={"a":1}', "serialized Java object"),
        ("amount:Object=x", "cannot be of type Object"),
        ("amount:Integer=12.5", "no Integer"),
        ("amount:Short=40000", "no Short"),
        ("amount:Boolean=yes", "no Boolean"),
        ("amount:Date=2026-03-01", "no Date"),
        ("amount:Double=inf", "no Double"),
    ],
)
def test_what_cannot_be_set_is_refused_without_its_value(text: str, said: str) -> None:
    with pytest.raises(VariableMistake) as mistake:
        typed(text)
    assert said in mistake.value.sentence
    secret = text.partition("=")[2]
    assert not secret or secret not in mistake.value.sentence


def test_a_text_is_refused_where_the_existing_type_does_not_take_it() -> None:
    with pytest.raises(VariableMistake, match="the value of amount is no Integer"):
        resolved(typed("amount=a lot"), "Integer")


def test_what_is_read_back_is_compared_by_type_and_moment() -> None:
    assert value_of("a", "Integer", 1) == SetValue("a", "Integer", "1")
    assert value_of("a", "Boolean", True) != value_of("a", "Integer", 1)
    assert value_of("a", "Double", 1) == resolved(typed("a:Double=1"), "")
    sent = resolved(typed("at:Date=2026-03-01T10:00:00.000+0100"), "")
    assert value_of("at", "Date", "2026-03-01T09:00:00.000+0000") == sent
    assert value_of("file", "File", None) is None
