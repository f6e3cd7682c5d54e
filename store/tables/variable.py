"""Variables of process instances, and those that wait to be set."""

from sqlalchemy import BigInteger, Index, Text, false, text
from sqlmodel import Field, SQLModel

from retriage.store.tables.types import Name


class Variable(SQLModel, table=True):
    """A variable; ``execution_id`` is null at the scope of the instance.

    The value stands in one column by its type: ``text_value`` for String, Date (as the contract writes it), Json,
    Object and File, ``long_value`` for Boolean, Short, Integer and Long, and milliseconds for Date, ``double_value``
    for Double but for NaN, which is a text. A row with three nulls is the value null.

    A variable that was deleted, or ended with its execution, remains for the history of its instance: a scope has one
    variable of a name that is not deleted, and any number that are.

    One that waits in a batch to be set has a ``batch_id``, and an empty text for its instance: it goes with the batch.
    """

    __tablename__ = "variable"
    __table_args__ = (
        Index("variable_scope", "process_instance_id", "execution_id", "name"),
        Index("variable_name", "name", "text_value"),
        Index(
            "variable_batch",
            "batch_id",
            sqlite_where=text("batch_id IS NOT NULL"),
            postgresql_where=text("batch_id IS NOT NULL"),
        ),
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
    deleted: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    batch_id: str | None = None
