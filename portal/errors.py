"""Refusals of the domain: a stable code and parameters, never prose and never HTTP."""

from dataclasses import dataclass
from typing import Any


class DomainError(Exception):
    """Base of everything a service refuses; edges translate `code` and choose the status."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class NotFound(DomainError):
    """The record does not exist, or not for this actor: the two are not told apart."""

    def __init__(self, record: str) -> None:
        super().__init__(f"{record}_not_found", record=record)


class Forbidden(DomainError):
    """The actor may know the record but may not do this to it."""


class Conflict(DomainError):
    """The record's state does not allow the action (any more)."""


class Unauthenticated(DomainError):
    """Nobody is signed in, or the proof that was given does not hold."""


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field; `params` fill the translated message."""

    field: str
    code: str
    params: tuple[tuple[str, Any], ...] = ()


class Invalid(DomainError):
    """What was sent is understood but not acceptable; says so per field."""

    def __init__(self, *errors: FieldError, code: str = "invalid") -> None:
        super().__init__(code)
        self.errors = errors


def invalid(field: str, code: str, **params: Any) -> Invalid:
    """An `Invalid` about a single field."""
    return Invalid(FieldError(field, code, tuple(params.items())))
