"""`@operation`: what a view of the API takes and gives, said once for the check, the answer and the document."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import getdoc
from typing import Any

from flask import Response, request
from pydantic import BaseModel

from portal.blueprints import http
from portal.blueprints.api import idempotency
from portal.blueprints.api.schemas import Body, Query
from portal.blueprints.api.uploads import fingerprint, read_upload
from portal.blueprints.api.validation import check_body, read_body, read_query

View = Callable[..., BaseModel | Response | None]
Endpoint = Callable[..., Response]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Operation:
    """One endpoint as the document describes it; `conflicts` is what a 409 of it means.

    One that takes a file (`upload`) gets a multipart form with the field `file` instead of JSON.
    Of a `sealed` one the answer holds a secret: it is kept encrypted where it is kept for an idempotency key.
    One that gives a file names the types it may have in `media`; its view makes the whole answer, and commits.
    """

    summary: str
    answer: type[BaseModel] | None
    status: int
    body: type[Body] | None
    query: type[Query]
    keyed: bool
    conflicts: str | None
    description: str
    upload: bool = False
    sealed: bool = False
    media: tuple[str, ...] = ()

    @property
    def body_optional(self) -> bool:
        """Whether no body at all stands for `{}`."""
        if self.body is None or not self.body.may_be_missing:
            return False
        return not any(field.is_required() for field in self.body.model_fields.values())


def operation(
    summary: str,
    *,
    answer: type[BaseModel] | None,
    status: int = 200,
    body: type[Body] | None = None,
    query: type[Query] = Query,
    keyed: bool = True,
    conflicts: str | None = None,
    upload: bool = False,
    sealed: bool = False,
    media: tuple[str, ...] = (),
) -> Callable[[View], Endpoint]:
    """Check what is sent, call the view with `body` and `query`, answer with the model it returns, commit.

    The view gets `body`, `query` and `upload` only where they are declared. Everything of a request is one transaction:
    a view that raises leaves nothing behind, nor does its idempotency key. `keyed=False` takes no key.
    """

    def mark(view: View) -> Endpoint:
        text = getdoc(view) or ""
        declared = Operation(summary, answer, status, body, query, keyed, conflicts, text, upload, sealed, media)

        @wraps(view)
        def run(**path: Any) -> Response:
            return _run(declared, view, path)

        run.portal_operation = declared  # type: ignore[attr-defined]
        return run

    return mark


def _run(declared: Operation, view: View, path: dict[str, Any]) -> Response:
    given = dict(path)
    query = read_query(declared.query)
    if declared.query is not Query:
        given["query"] = query
    sent: Any = {}
    if declared.upload:
        given["upload"] = read_upload()
        sent = fingerprint(given["upload"])
    elif declared.body is not None:
        sent = read_body(optional=declared.body_optional)
    claimed = idempotency.claim(sent, sealed=declared.sealed) if declared.keyed and request.method == "POST" else None
    if isinstance(claimed, Response):
        return claimed
    if declared.body is not None:
        given["body"] = check_body(declared.body, sent)
    found = view(**given)
    if isinstance(found, Response):
        return found
    text = "" if found is None else found.model_dump_json()
    if isinstance(claimed, idempotency.Claim):
        claimed.keep(declared.status, text)
    if request.method not in SAFE:
        http.commit()
    return Response(text, status=declared.status, mimetype="application/json" if text else None)
