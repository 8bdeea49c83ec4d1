"""Bodies: how large one may be where files come in, and that nobody's slow line holds a database connection.

A process has few connections (`PORTAL_POOL_SIZE`), and a body arrives as slowly as whoever sends it likes.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request

from portal.blueprints import http

View = TypeVar("View", bound=Callable[..., Any])
# The form around the file.
FRAME_BYTES = 256 * 1024
# A form, an answer, a webhook: read at once, whoever sends it, and kept.
SMALL_BYTES = 64 * 1024
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def takes_file(limit: int) -> Callable[[View], View]:
    """The view takes a file of at most `limit` bytes; it looks at the size itself, and says so kindly."""

    def mark(view: View) -> View:
        # Twice as much is read before the connection is refused, so that a little too large is told apart.
        view.portal_upload_bytes = 2 * limit + FRAME_BYTES  # type: ignore[attr-defined]
        return view

    return mark


def init_uploads(app: Flask) -> None:
    """Set the limit before anything reads the body (the check of the form's token does)."""

    @app.url_value_preprocessor
    def allow(endpoint: str | None, values: dict[str, Any] | None) -> None:
        view: Any = current_app.view_functions.get(endpoint or "")
        while view is not None:
            limit = getattr(view, "portal_upload_bytes", None)
            if limit is not None:
                request.max_content_length = limit
                return
            view = getattr(view, "__wrapped__", None)


def init_small_bodies(app: Flask) -> None:
    """Read small bodies before the guard takes a connection; call it before `init_guard`."""

    @app.before_request
    def take_in() -> None:
        if request.method in _WITH_BODY and not _is_large():
            request.get_data()


def init_large_bodies(app: Flask) -> None:
    """Let go of the database before a large body is read.

    After the guard, who refuses strangers first; before the check of the form's token, which reads the body.
    """

    @app.before_request
    def let_go() -> None:
        if request.method in _WITH_BODY and _is_large():
            http.commit()


def _is_large() -> bool:
    return request.content_length is None or request.content_length > SMALL_BYTES
