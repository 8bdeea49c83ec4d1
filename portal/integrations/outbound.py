"""Asking servers whose addresses somebody else wrote down: filtered, pinned, and bounded in size and in time.

requests-hardened resolves a name once, refuses private networks and connects to the very address it has checked.
What it leaves open is closed here: redirects are not followed, no proxy of the environment is used, an answer has
a largest size, and a connection that is fed a byte at a time is cut when its time is over (a socket's own
time-out starts anew with every byte).
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any

import requests
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

CONNECT_SECONDS, READ_SECONDS = 2, 5
# For the whole exchange, but for the system's own lookup of the name.
WHOLE_SECONDS = 8.0
MAX_BYTES = 256 * 1024
_running = threading.local()


class AnswerTooLarge(requests.RequestException):
    """The answer goes on beyond the largest size."""


class OutboundSession(requests.Session):
    """A session for one or two requests; every failure is a `requests.RequestException`."""

    whole_seconds = WHOLE_SECONDS

    def guard(self, *, allow_loopback: bool, whole_seconds: float = WHOLE_SECONDS) -> None:
        """Put the guards up; loopback is for providers that run beside a development or test server."""
        self.whole_seconds = whole_seconds
        self.trust_env = False
        for prefix in ("http://", "https://"):
            self.mount(prefix, _Adapter(is_https_proto=prefix == "https://", allow_loopback=allow_loopback))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send within the bounds; the body has been read when this returns."""
        kwargs |= {"allow_redirects": False, "stream": False, "timeout": (CONNECT_SECONDS, READ_SECONDS)}
        with _Deadline(self.whole_seconds) as deadline:
            answer = super().send(request, **kwargs)
        if deadline.passed:
            # A cut connection reads like the end of a body of unknown length.
            raise requests.ReadTimeout("the whole exchange took too long")
        return answer


class _Deadline:
    """Cuts the connections that this thread opens within it once the time is over."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "_Deadline":
        _running.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _running.deadline = None
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()

    def watch(self, connected: socket.socket) -> None:
        """Keep a second handle: TLS takes the first one away with it."""
        with self._lock:
            self._sockets.append(connected.dup())
        if self.passed:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            for connected in self._sockets:
                with suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)


def _watched(connected: socket.socket) -> socket.socket:
    deadline: _Deadline | None = getattr(_running, "deadline", None)
    if deadline is not None:
        deadline.watch(connected)
    return connected


class _PlainConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _watched(super()._new_conn())


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _watched(super()._new_conn())


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(IPFilterAdapter):  # type: ignore[misc]
    """The filter of addresses, with connections that can be cut and answers that end."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        answer: requests.Response = super().build_response(req, resp)
        answer.raw = _Bounded(resp)
        return answer


class _Bounded:
    """The raw body as requests reads it, up to the largest size after decompression."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def stream(self, chunk_size: int, decode_content: bool = True) -> Iterator[bytes]:
        """Chunks of the body; AnswerTooLarge once they are too many."""
        seen = 0
        for chunk in self._raw.stream(chunk_size, decode_content=decode_content):
            seen += len(chunk)
            if seen > MAX_BYTES:
                raise AnswerTooLarge("the answer is too large")
            yield chunk

    def close(self) -> None:
        """End the connection."""
        self._raw.close()

    def release_conn(self) -> None:
        """Give the connection back."""
        self._raw.release_conn()
