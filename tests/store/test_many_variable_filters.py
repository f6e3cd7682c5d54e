"""Very many filters by variables: written at one length, and judged as few are."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from retriage.store.contract.queries import VariableFilter
from retriage.store.embedded import embedded_app
from retriage.store.queries import variable_filters
from retriage.store.queries.variable_filters import EXTERNAL_TASK, variable_conditions
from retriage.store.tables import ExternalTask
from retriage.store.tables.types import col
from tests.contract.test_variable_filters import CASES, VALUES
from tests.store.drawings import ONE_TASK
from tests.store.running import STORES, client_of, store_at

VALUE_KINDS = (5, 5.25, "text", True, None, "2026-03-01T09:15:00.000+0100")
TINY = 1e-30
"""A Double that is no fraction of two whole numbers of 64 bits."""


@pytest.mark.parametrize("either", [False, True])
@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda one: one.name)
def test_a_statement_is_as_long_for_twice_as_many(dialect: Any, either: bool) -> None:
    def written(number: int) -> str:
        filters = [
            VariableFilter(name=f"v{index}", operator=("eq", "neq", "like")[index % 3], value=value)
            for index in range(number // len(VALUE_KINDS))
            for value in VALUE_KINDS
        ]
        owner = col(ExternalTask.process_instance_id)
        made = variable_conditions(filters, owner, EXTERNAL_TASK, either=either)
        return str(select(col(ExternalTask.id)).where(*made).compile(dialect=dialect))

    assert len(written(4_800)) == len(written(2_400)) < 20_000


@pytest.mark.parametrize("kind", STORES)
async def test_many_are_judged_as_few(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    filters = [dict(zip(("name", "operator", "value"), case, strict=True)) for case, _ in CASES.values()]
    filters += [{"name": "tiny", "operator": "eq", "value": value} for value in (TINY, 2 * TINY)]
    filters += [{"name": "tenth", "operator": word, "value": 0.1} for word in ("eq", "lt", "gt")]
    filters += [{"name": "zero", "operator": "eq", "value": value} for value in (0, 0.0, -0.0)]
    filters += [
        {"name": "v", "operator": "eq", "value": "a\0b"},
        {"name": "V", "operator": "eq", "value": "ALPHA beta"},
    ]
    given = {**VALUES, "doubles": {"tiny": TINY, "tenth": 0.1, "zero": 0.0}}
    async with store_at(request, kind) as place, client_of(embedded_app(place)) as http:
        upload = {"data": ("order.bpmn", ONE_TASK)}
        assert (await http.post("/deployment/create", files=upload)).status_code == 200
        for name, variables in given.items():
            typed = {word: value if isinstance(value, dict) else {"value": value} for word, value in variables.items()}
            body = {"businessKey": name, "variables": typed}
            assert (await http.post("/process-definition/key/order/start", json=body)).status_code == 200

        async def found(**query: Any) -> tuple[int, set[str]]:
            answer = await http.post("/process-instance", json=query)
            return answer.status_code, {one["businessKey"] for one in answer.json()} if answer.is_success else set()

        async def all_found() -> list[tuple[int, set[str]]]:
            answers = []
            for any_case in (False, True):
                more = {"variableNamesIgnoreCase": any_case, "variableValuesIgnoreCase": any_case}
                chosen = [one for one in filters if not any_case or isinstance(one["value"], str)]
                for one in chosen:
                    answers.append(await found(variables=[one, {"name": "v", "operator": "neq", "value": 7}], **more))
                for first in range(0, len(chosen), 3):
                    answers.append(await found(orQueries=[{"variables": chosen[first : first + 3], **more}]))
            return answers

        few = await all_found()
        monkeypatch.setattr(variable_filters, "MOST_APART", 0)
        assert await all_found() == few
    assert len({frozenset(names) for _, names in few}) > 20
