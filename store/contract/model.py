"""What every shape of the contract has in common."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """A JSON object of the contract: ``snake_case`` in Python, ``camelCase`` on the wire, unknown names ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")
