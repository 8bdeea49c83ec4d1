"""The one kind of request of the API that is no JSON: a multipart form with a single file."""

import hashlib

from flask import request

from portal.errors import FieldError, Invalid, invalid
from portal.services.files.uploading import FIELD, Upload

_CHUNK = 1024 * 1024


def read_upload() -> Upload:
    """The file of the request; raises Invalid where there is none, several, or something beside it."""
    errors = [FieldError(name, "unknown_field") for name in (*request.form, *request.files) if name != FIELD]
    if errors:
        raise Invalid(*errors)
    sent = request.files.getlist(FIELD)
    if len(sent) != 1:
        raise invalid(FIELD, "given_twice" if sent else "file_missing")
    return Upload(sent[0].filename or "", sent[0].stream)  # type: ignore[arg-type]


def fingerprint(upload: Upload) -> dict[str, str]:
    """What tells one upload from another, for `Idempotency-Key`."""
    digest = hashlib.sha256()
    upload.content.seek(0)
    for chunk in iter(lambda: upload.content.read(_CHUNK), b""):
        digest.update(chunk)
    return {"name": upload.name.encode("utf-8", "replace").decode(), "sha256": digest.hexdigest()}
