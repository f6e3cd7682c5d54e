"""Errors as the contract words them.

``type`` is the simple name of the engine's exception class, ``code`` its error code (``None`` for a refusal of the
REST layer itself, 0 for an ordinary engine error, 1 for optimistic locking). Clients must not compare ``type``: the
engine has two styles of "not found".
"""

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from retriage.store.contract.model import Shape


class ErrorBody(Shape):
    """The body of every refusal."""

    type: str
    message: str
    code: int | None = None
    extra: dict[str, Any] = Field(default={}, description="More properties that a few refusals carry, by name.")

    @model_serializer(mode="wrap")
    def _merge_extra(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        more: dict[str, Any] = written.pop("extra")
        return written | more


class ContractError(Exception):
    """A refusal with the status and body that the contract gives it."""

    def __init__(
        self, status: int, type_: str, message: str, code: int | None = None, extra: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = ErrorBody(type=type_, message=message, code=code, extra=extra or {})

    @property
    def message(self) -> str:
        """The sentence for the client."""
        return self.body.message


def invalid(message: str, code: int | None = None) -> ContractError:
    """400 ``InvalidRequestException``."""
    return ContractError(400, "InvalidRequestException", message, code)


def missing(message: str, code: int | None = None) -> ContractError:
    """404 ``InvalidRequestException``: the style of most resources."""
    return ContractError(404, "InvalidRequestException", message, code)


def no_external_task(task_id: str, code: int | None = None) -> ContractError:
    """404 ``RestException``: the style of the external-task resource."""
    return ContractError(404, "RestException", f"External task with id {task_id} does not exist", code)


def engine_error(message: str, type_: str = "ProcessEngineException", code: int | None = 0) -> ContractError:
    """500 with an engine exception, as the engine answers a violated check that no resource translates."""
    return ContractError(500, type_, message, code)


def null_value(message: str) -> ContractError:
    """500 ``NullValueException``."""
    return engine_error(message, "NullValueException")


def stale(what: str) -> ContractError:
    """500 ``OptimisticLockingException``: another transaction has changed the same thing first."""
    message = (
        f"ENGINE-03005 Execution of 'DELETE {what}' failed. Entity was updated by another transaction concurrently."
    )
    return engine_error(message, "OptimisticLockingException", 1)


PERSISTENCE = (
    "An exception occurred in the persistence layer. "
    "Please check the server logs for a detailed message and the entire exception stack trace."
)


def not_stored(code: int = 0) -> ContractError:
    """500 ``ProcessEnginePersistenceException``: the database did not take a statement."""
    return engine_error(PERSISTENCE, "ProcessEnginePersistenceException", code)
