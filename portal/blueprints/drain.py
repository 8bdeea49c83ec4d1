"""Bodies that nobody reads: taken in and thrown away, so that whoever sends them gets to see the answer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

DRAIN_BYTES = 32 * 1024 * 1024
_CHUNK = 64 * 1024


class DrainUnread:
    """WSGI middleware that reads what an early refusal (401, 413, 415) left unread.

    A server that closes while its client still sends resets the connection, and the client sees a broken
    pipe instead of the refusal. Only behind servers that end the input by themselves (gunicorn says so).
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """The application's answer, once the body has been taken in."""
        answer = self._app(environ, start_response)
        has_body = environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")
        if has_body and environ.get("wsgi.input_terminated"):
            self._drain(environ)
        return answer

    def _drain(self, environ: "WSGIEnvironment") -> None:
        left = DRAIN_BYTES
        try:
            while left > 0 and (chunk := environ["wsgi.input"].read(_CHUNK)):
                left -= len(chunk)
        except (OSError, ValueError):
            # The client went away or sent something malformed; the answer is not for it any more.
            return
