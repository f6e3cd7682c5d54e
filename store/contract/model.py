"""What every shape of the contract has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """A JSON object of the contract: ``snake_case`` in Python, ``camelCase`` on the wire, unknown names ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", defer_build=True)


def filtering(description: str) -> Any:
    """A filter of a query: absent unless it is given.

    Args:
        description: what it matches, one sentence for the API's page, forms and completions.
    """
    return Field(default=None, description=description)
