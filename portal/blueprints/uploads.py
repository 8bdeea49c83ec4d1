"""How large a request may be where files come in; everywhere else the application's own limit holds."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request

View = TypeVar("View", bound=Callable[..., Any])
# The form around the file.
FRAME_BYTES = 256 * 1024


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
