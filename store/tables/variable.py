"""Variables of process instances."""

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field, SQLModel

from store.tables.types import Name


class Variable(SQLModel, table=True):
    """A variable; ``execution_id`` is null at the scope of the instance.

    The value stands in one column by its type: ``text_value`` for String, Date (as the contract writes it), Json,
    Object and File, ``long_value`` for Boolean, Short, Integer and Long, and milliseconds for Date, ``double_value``
    for Double. A row with three nulls is the value null.
    """

    __tablename__ = "variable"
    __table_args__ = (
        Index("variable_scope", "process_instance_id", "execution_id", "name"),
        Index("variable_name", "name", "text_value"),
    )

    id: str = Field(primary_key=True)
    process_instance_id: str
    execution_id: str | None = None
    name: str = Field(sa_type=Name)
    type: str
    text_value: str | None = Field(default=None, sa_type=Text)
    long_value: int | None = Field(default=None, sa_type=BigInteger)
    double_value: float | None = None
    value_info: str | None = Field(default=None, sa_type=Text)
