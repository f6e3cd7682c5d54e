"""Records of engines that leave fields out."""

from typing import Any

import pytest

from retriage.console.engine.answers import record
from retriage.store.contract.records import ExternalTask, Job, ProcessInstance

OF_7_21: dict[str, Any] = {
    "links": [],
    "id": "98837c6b",
    "businessKey": "O-1",
    "caseInstanceId": None,
    "ended": False,
    "suspended": False,
    "tenantId": None,
}


@pytest.mark.parametrize(
    ("definition", "key"),
    [
        ("ship:12:97a02145-eb0a", "ship"),
        ("97a02145-eb0a-11f1-affc-02fc00000001", ""),  # key and version did not fit into an id
        ("a:b", ""),
        ("a:b:c", ""),
        (None, ""),
    ],
)
def test_the_key_of_a_process_is_read_from_the_id_of_its_definition(definition: str | None, key: str) -> None:
    assert record(ProcessInstance, {**OF_7_21, "definitionId": definition}).definition_key == key


def test_a_key_that_is_told_stands() -> None:
    told = {**OF_7_21, "definitionId": "ship:12:97a02145", "definitionKey": "order"}
    assert record(ProcessInstance, told).definition_key == "order"


def test_other_records_have_it_too_and_none_where_there_is_no_process() -> None:
    assert record(ExternalTask, {"id": "t", "processDefinitionId": "order:3:x"}).process_definition_key == "order"
    assert record(Job, {"id": "j", "processDefinitionId": None}).process_definition_key is None
    assert (
        record(Job, {"id": "j", "processDefinitionId": "o:1:x", "processDefinitionKey": None}).process_definition_key
        is None
    )
