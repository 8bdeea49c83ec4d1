"""Asking a virus scanner: clamd's INSTREAM over TCP or a socket of this machine (clamd(8), COMMANDS)."""

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from portal.config import ConfigurationError, Settings

TIMEOUT_SECONDS = 60
CONNECT_SECONDS = 5
CHUNK_BYTES = 64 * 1024
_ANSWER_BYTES = 4096


class ScannerUnavailable(Exception):
    """The scanner does not answer, or cannot say; the file stays where nobody gets it."""


@dataclass(frozen=True)
class Verdict:
    """What the scanner says; `found` names what it found."""

    clean: bool
    found: str = ""


class VirusScanner(Protocol):
    """Looks at a file's content; raises ScannerUnavailable, and never calls clean what it could not look at."""

    def scan(self, content: Iterable[bytes]) -> Verdict:
        """The verdict on a content given in pieces."""
        ...


def build_scanner(settings: Settings) -> VirusScanner | None:
    """clamd where PORTAL_ANTIVIRUS_URL names one; None where no scanner is configured."""
    return ClamdScanner(settings.antivirus_url) if settings.antivirus_url else None


class ClamdScanner:
    """One connection a file; anything but `OK` and `FOUND` counts as no answer."""

    def __init__(self, url: str) -> None:
        self._url = _checked(url)

    def scan(self, content: Iterable[bytes]) -> Verdict:
        """Send the content and read the verdict."""
        try:
            with self._connect() as line:
                line.settimeout(TIMEOUT_SECONDS)
                line.sendall(b"zINSTREAM\0")
                for piece in content:
                    for start in range(0, len(piece), CHUNK_BYTES):
                        part = piece[start : start + CHUNK_BYTES]
                        line.sendall(struct.pack("!L", len(part)) + part)
                line.sendall(struct.pack("!L", 0))
                answer = _answer(line)
        except OSError as error:
            raise ScannerUnavailable(type(error).__name__) from error
        return _verdict(answer)

    def _connect(self) -> socket.socket:
        if self._url.scheme == "unix":
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(CONNECT_SECONDS)
            try:
                line.connect(self._url.path)
            except OSError:
                line.close()
                raise
            return line
        return socket.create_connection((self._url.hostname or "", self._url.port or 3310), CONNECT_SECONDS)


def _answer(line: socket.socket) -> str:
    answer = b""
    while b"\0" not in answer and len(answer) < _ANSWER_BYTES and (part := line.recv(_ANSWER_BYTES)):
        answer += part
    return answer.partition(b"\0")[0].decode("utf-8", "replace").strip()


def _verdict(answer: str) -> Verdict:
    said = answer.removeprefix("stream:").strip()
    if said == "OK":
        return Verdict(clean=True)
    if said.endswith(" FOUND"):
        return Verdict(clean=False, found=said.removesuffix(" FOUND").strip()[:100])
    raise ScannerUnavailable(said[:100] or "no answer")


def _checked(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        known = (parts.scheme == "tcp" and parts.hostname and (parts.port is None or parts.port > 0)) or (
            parts.scheme == "unix" and parts.path.startswith("/")
        )
    except ValueError:
        known = False
    if not known:
        raise ConfigurationError("PORTAL_ANTIVIRUS_URL must look like tcp://host:3310 or unix:///run/clamd.sock.")
    return parts
