"""Whether an uploaded file is what it says it is, and what is kept of it (SEC-10; reliability.md §5, Files).

The name's ending picks the kind; the content must be of that kind, by its first bytes and, where a format can hold
others, by what is in it. Pictures, archives and PDFs are looked into by a child process with limits.
"""

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import filetype

from portal.integrations import file_child
from portal.lib.file_kinds import KINDS, Family, FileKind
from portal.lib.file_names import extension_of

SECONDS = 25
# As many children as may use their memory at the same time.
_CHILDREN = threading.BoundedSemaphore(2)
_PROGRAM = Path(file_child.__file__)
_HEAD_BYTES = 8 * 1024
# As far as browsers look when they guess what a text is (WHATWG MIME Sniffing, 5.1).
_SNIFFED_BYTES = 1445
_TAIL_BYTES = 22 + 65_535
_CHUNK = 1024 * 1024
_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
_REFUSALS = {
    file_child.TOO_MANY_PIXELS: "file_too_many_pixels",
    file_child.TOO_LONG: "file_animation_too_long",
    file_child.UNREADABLE: "file_unreadable",
    file_child.BOMB: "file_archive_bomb",
    file_child.UNSAFE: "file_archive_unsafe",
    file_child.ENCRYPTED: "file_archive_locked",
    file_child.PROGRAMS: "file_archive_programs",
    file_child.NESTED: "file_archive_nested",
}
_MARKUP = re.compile(
    rb"<(?:!doctype|html|head|body|script|svg|iframe|object|embed|img|a|div|style|title|table|meta|link|\?xml|\?php)"
    rb"[\s/>:]",
    re.IGNORECASE,
)
_SCRIPT = re.compile(rb"^#!|<\?php|<script[\s>]", re.IGNORECASE)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MAIL_HEADER = re.compile(
    rb"\A(?:received|return-path|delivered-to|from|to|subject|date|message-id|mime-version|x-[\w-]+|dkim-signature|"
    rb"reply-to|content-type|arc-[\w-]+|authentication-results)[ \t]*:",
    re.IGNORECASE,
)


class FileRefused(Exception):
    """The file is not taken; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class CheckedFile:
    """What is kept: the file itself or, of a picture, what was drawn anew; pictures have a size and a small copy."""

    content: BinaryIO
    content_type: str
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None


def check_file(content: BinaryIO, name: str) -> CheckedFile:
    """Examine a file that is called `name`; raises FileRefused. `content` can be sought in and is read anew."""
    ending = extension_of(name)
    kind = KINDS.get(ending)
    if kind is None:
        raise FileRefused("file_kind_not_allowed")
    content.seek(0)
    head = content.read(_HEAD_BYTES)
    if not head:
        raise FileRefused("file_empty")
    if kind.family in (Family.TEXT, Family.MAIL):
        _check_text(content, head, kind)
    elif _guessed(head) != _expected(ending, kind):
        raise FileRefused("file_kind_mismatch")
    if kind.family is Family.PICTURE:
        return _draw_anew(content, kind)
    if kind.family is Family.ARCHIVE:
        if _ask_child("archive", content).decode() != ending:
            raise FileRefused("file_kind_mismatch")
    elif _ends_as_archive(content):
        raise FileRefused("file_kind_mismatch")
    content.seek(0)
    return CheckedFile(content, kind.content_type)


def is_quiet_pdf(content: BinaryIO) -> bool:
    """Whether a PDF may be shown in the browser: without scripts, actions, files inside, and locks."""
    try:
        _ask_child("pdf", content)
    except FileRefused:
        return False
    return True


def _expected(ending: str, kind: FileKind) -> str:
    return "application/zip" if kind.family is Family.ARCHIVE else kind.content_type


def _guessed(head: bytes) -> str:
    # Office files are archives; which of them it is shows inside.
    if head.startswith(b"PK\x03\x04"):
        return "application/zip"
    found = filetype.guess(head)
    return str(found.mime) if found is not None else ""


def _check_text(content: BinaryIO, head: bytes, kind: FileKind) -> None:
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    # Markers of an order of bytes aside, browsers know a text by what follows its white space.
    start = (head.decode("utf-16", "replace").encode() if wide else head)[:_SNIFFED_BYTES]
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip(b"\t\n\x0c\r ")
    if _MARKUP.match(start) or start.startswith(b"<!--") or _SCRIPT.search(start):
        raise FileRefused("file_active_content")
    if kind.family is Family.MAIL and not _MAIL_HEADER.match(start):
        raise FileRefused("file_kind_mismatch")
    if head.startswith((b"%PDF-", b"PK\x03\x04")):
        raise FileRefused("file_kind_mismatch")
    content.seek(0)
    for chunk in iter(lambda: content.read(_CHUNK), b""):
        # UTF-16 is full of zero bytes; of everything else they say that it is no text.
        if not wide and _CONTROLS.search(chunk):
            raise FileRefused("file_kind_mismatch")


def _ends_as_archive(content: BinaryIO) -> bool:
    """Whether a reader of archives, which begin to read at the end, would take the file for one."""
    size = content.seek(0, io.SEEK_END)
    content.seek(max(0, size - _TAIL_BYTES))
    tail = content.read()
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if len(tail) - at >= 22 and int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail) - at - 22:
            return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False


def _draw_anew(content: BinaryIO, kind: FileKind) -> CheckedFile:
    head, _, body = _ask_child("picture", content).partition(b"\n")
    told = json.loads(head)
    if _FORMATS.get(told["format"]) != kind.content_type:
        raise FileRefused("file_kind_mismatch")
    drawn, thumbnail = body[: told["drawn"]], body[told["drawn"] :]
    return CheckedFile(io.BytesIO(drawn), kind.content_type, told["width"], told["height"], thumbnail)


def _ask_child(role: str, content: BinaryIO) -> bytes:
    """What the child says of the file; raises FileRefused for what it refuses and for what breaks or takes too long."""
    with _on_disk(content) as file, _CHILDREN:
        try:
            child = subprocess.run(  # noqa: S603 - our own program, no shell, no argument from outside
                [sys.executable, "-I", str(_PROGRAM), role],
                stdin=file,
                capture_output=True,
                timeout=SECONDS,
                check=False,
                env={},
                cwd="/",
            )
        except subprocess.TimeoutExpired as error:
            raise FileRefused("file_unreadable") from error
    if child.returncode != 0:
        raise FileRefused(_REFUSALS.get(child.returncode, "file_unreadable"))
    return child.stdout


@contextmanager
def _on_disk(content: BinaryIO) -> Iterator[BinaryIO]:
    """The content as a file that another process can read, from its beginning."""
    content.seek(0)
    try:
        content.fileno()
    except (OSError, AttributeError):
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(content, copy)
            copy.seek(0)
            yield copy
        return
    yield content
