"""Which kinds of files are taken (SEC-10): one table, by the ending of the name; the content must agree with it."""

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """How a file's content is examined."""

    PICTURE = "picture"
    PDF = "pdf"
    TEXT = "text"
    MAIL = "mail"
    ARCHIVE = "archive"
    VIDEO = "video"


@dataclass(frozen=True)
class FileKind:
    """One kind: its content type as it is stored and served, and how it is examined."""

    content_type: str
    family: Family


_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
KINDS: dict[str, FileKind] = {
    "png": FileKind("image/png", Family.PICTURE),
    "jpg": FileKind("image/jpeg", Family.PICTURE),
    "jpeg": FileKind("image/jpeg", Family.PICTURE),
    "gif": FileKind("image/gif", Family.PICTURE),
    "webp": FileKind("image/webp", Family.PICTURE),
    "pdf": FileKind("application/pdf", Family.PDF),
    "txt": FileKind("text/plain", Family.TEXT),
    "log": FileKind("text/plain", Family.TEXT),
    "csv": FileKind("text/csv", Family.TEXT),
    "json": FileKind("application/json", Family.TEXT),
    "eml": FileKind("message/rfc822", Family.MAIL),
    "docx": FileKind(f"{_OFFICE}.wordprocessingml.document", Family.ARCHIVE),
    "xlsx": FileKind(f"{_OFFICE}.spreadsheetml.sheet", Family.ARCHIVE),
    "pptx": FileKind(f"{_OFFICE}.presentationml.presentation", Family.ARCHIVE),
    "odt": FileKind(f"{_OPEN}.text", Family.ARCHIVE),
    "ods": FileKind(f"{_OPEN}.spreadsheet", Family.ARCHIVE),
    "zip": FileKind("application/zip", Family.ARCHIVE),
    "mp4": FileKind("video/mp4", Family.VIDEO),
    "webm": FileKind("video/webm", Family.VIDEO),
}
# For file fields: endings, and pictures as such, by which telephones offer their camera.
ACCEPT = ",".join(["image/*", *(f".{ending}" for ending in KINDS)])


def is_picture(content_type: str) -> bool:
    """Whether it is shown as a picture: only what was drawn anew when it came in."""
    return any(kind.content_type == content_type for kind in KINDS.values() if kind.family is Family.PICTURE)
