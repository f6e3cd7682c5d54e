"""Which variables are written into a snapshot, and which without their values."""

from retriage.console.snapshots.part import MASK, MASKED, SnapshotPart, names
from retriage.store.contract.records import VariableValue

VALUES = {
    "orderId": VariableValue(type="Long", value=7),
    "apiToken": VariableValue(type="String", value="s3cret"),
    "Card": VariableValue(type="Object", value="rO0AB", value_info={"objectTypeName": "Card"}),
    "note": VariableValue(type="Null"),
}


def test_none_without_being_asked_for() -> None:
    assert SnapshotPart().chosen(VALUES.items()) == {}


def test_names_are_exact_but_for_the_star() -> None:
    assert set(SnapshotPart(variables=("order", "note")).chosen(VALUES.items())) == {"note"}
    assert set(SnapshotPart(variables=("order*",)).chosen(VALUES.items())) == {"orderId"}


def test_what_is_masked_tells_neither_value_nor_type() -> None:
    chosen = SnapshotPart(variables=("*",)).chosen(VALUES.items())
    masked = VariableValue(type="String", value=MASK)
    assert (chosen["apiToken"], chosen["Card"]) == (masked, masked)
    assert chosen["orderId"] == VALUES["orderId"]


def test_other_masks_take_the_place_of_the_usual_ones() -> None:
    chosen = SnapshotPart(variables=("*",), masked=names(" orderID ,")).chosen(VALUES.items())
    assert chosen["orderId"].value == MASK
    assert chosen["apiToken"] == VALUES["apiToken"]
    assert names(",".join(MASKED)) == MASKED
