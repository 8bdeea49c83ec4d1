"""Refusals in Stripe's form."""

from typing import Any

Body = dict[str, Any]


class ApiError(Exception):
    """An answer with an `error`. `keeps`: what was done before it stays done, as with a declined payment."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        keeps: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps = keeps
        told = {"type": kind, "message": message, "code": code, "param": param, **more}
        self.body: Body = {"error": {name: value for name, value in told.items() if value is not None}}


class ParameterError(ApiError):
    """A parameter that no work was begun for; nothing is remembered under the idempotency key."""

    def __init__(self, message: str, code: str | None, param: str | None) -> None:
        super().__init__(400, message, code=code, param=param)


def missing(kind: str, object_id: str, param: str) -> ApiError:
    """No such object: 404 where it is the address, 400 where it is a parameter."""
    status = 404 if param == "id" else 400
    return ApiError(status, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
